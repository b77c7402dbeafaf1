"""What the server itself refuses, before any handler is asked, and how much it takes on."""

import asyncio
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from service_kit import bodies, server
from service_kit.server import Server
from tests.apis import Answer, Api
from tests.builders import a_customer
from tests.database_servers import TestDatabase
from tests.integration.locks import holding
from tests.integration.raw_http import answer_of, exchange, request_head
from tests.waiting import until

MEBIBYTE = 1024 * 1024
HASTY_SECONDS = 0.3


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /health HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST /customers HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /customers HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"POST /customers HTTP/1.1\r\nHost: a\r\nContent-Length: \xb217\r\n\r\n",
        b"POST /customers HTTP/1.1\r\nHost: a\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        (
            b"POST /customers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Length: 2\r\n\r\n{}"
        ),
        b"POST /customers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n\r\n",
    ],
    ids=[
        "line",
        "two hosts",
        "header",
        "two lengths",
        "length",
        "raised two",
        "5,000 digits",
        "length and chunks",
        "chunk",
    ],
)
async def test_what_is_no_sound_http_is_a_problem_too_and_the_connection_ends(
    customers: Api, request_bytes: bytes
) -> None:
    received, _ = await exchange(customers, [request_bytes])

    answer = answer_of(received, "GET")
    assert (answer.status, answer.code) == (400, "MALFORMED_REQUEST")
    assert answer.headers["Connection"] == "close"
    assert (await customers.get("/health")).status == 200


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        pytest.param(b"Host: a\r\nHost: b\r\n\r\n", 400, id="two hosts"),
        pytest.param(b"no field\r\n\r\n", 400, id="a line that is none"),
        pytest.param(b"X-Long: " + b"x" * 40_000 + b"\r\n\r\n", 431, id="too large"),
    ],
)
async def test_what_the_server_itself_refuses_goes_by_the_callers_id_if_it_has_come(
    customers: Api, rest: bytes, status: int
) -> None:
    first = b"GET /health/live HTTP/1.1\r\nHost: a\r\nX-Correlation-Id: first-1\r\n\r\n"
    own = b"GET /health HTTP/1.1\r\nx-correlation-id:  mine-2 \r\n"
    received, _ = await exchange(customers, [first + own + rest])

    refusal = answer_of(received[received.index(b"HTTP/1.1 %d " % status) :], "GET")
    assert refusal.headers["X-Correlation-Id"] == "mine-2"
    assert refusal.json["correlation_id"] == "mine-2"


@pytest.mark.parametrize(
    "line", [b"X-Other: 1", b"X-Correlation-Id: not sound!", b"X-Correlation-Id: a\r\n" * 2]
)
async def test_what_the_server_itself_refuses_has_a_new_id_if_none_is_sound(
    customers: Api, line: bytes
) -> None:
    first = b"GET /health/live HTTP/1.1\r\nHost: a\r\nX-Correlation-Id: first-1\r\n\r\n"
    own = b"GET /health HTTP/1.1\r\n" + line + b"\r\nno field\r\n\r\n"
    received, _ = await exchange(customers, [first + own])

    refusal = answer_of(received[received.index(b"HTTP/1.1 400 ") :], "GET")
    assert str(uuid.UUID(refusal.headers["X-Correlation-Id"]))


async def test_connections_above_the_bound_are_closed_and_those_below_are_served(
    customers: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await customers.get("/health")).status == 200  # keeps its connection
    servers: list[Server] = []
    original = Server.handle_stream

    def remember(self: Server, *arguments: Any) -> None:
        self.most_connections = 3
        servers.append(self)
        original(self, *arguments)

    monkeypatch.setattr(Server, "handle_stream", remember)
    with connections(customers, 5) as idle:
        for connection in idle:
            connection.setblocking(False)
        await until(lambda: sum(map(_is_closed, idle)) >= 3, "three were closed")
        assert (await customers.get("/health/live")).status == 200


@contextmanager
def connections(api: Api, count: int) -> Iterator[list[socket.socket]]:
    """Open so many connections to an API, over which nothing is said yet."""
    address = urlsplit(api.base_url)
    with ExitStack() as opened:
        yield [
            opened.enter_context(socket.create_connection((address.hostname, address.port)))
            for _ in range(count)
        ]


def _is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


@pytest.fixture
def small_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies.BodyBudget.__init__, "__defaults__", (MEBIBYTE,))


@pytest.mark.usefixtures("small_budget")
async def test_unfinished_bodies_are_bounded_together_and_the_rest_is_told_to_come_again(
    customers: Api,
) -> None:
    head = request_head(customers, "POST /customers", f"Content-Length: {MEBIBYTE}")
    address = urlsplit(customers.base_url)

    async def until_answered(status: int) -> Answer:
        async with asyncio.timeout(10):
            while True:
                answer = await customers.post("/customers", {"name": "", "email": ""})
                if answer.status == status:
                    return answer

    with socket.create_connection((address.hostname, address.port)) as hoarder:
        hoarder.setblocking(False)
        await asyncio.get_running_loop().sock_sendall(hoarder, head + b" " * (MEBIBYTE - 1))
        refused = await until_answered(503)
    assert refused.code == "BUSY"
    assert refused.headers["Retry-After"]

    # The hoarder has left: there is room again.
    assert (await until_answered(422)).code == "VALIDATION_FAILED"


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([b"X-Long: " + b"x" * 40_000 + b"\r\n\r\n"], id="one field"),
        pytest.param([b"X-Many: y\r\n" * 4_000 + b"\r\n"], id="many fields"),
        pytest.param([b"X-Endless: ", *([b"x" * 4096] * 40)], id="a field without end"),
        pytest.param([b"Cookie: " + b"x" * 200_000 + b"\r\n\r\n"], id="far too much at once"),
    ],
)
async def test_header_fields_that_are_too_large_are_told_so(
    customers: Api, pieces: list[bytes]
) -> None:
    received, _ = await exchange(customers, [b"GET /health HTTP/1.1\r\nHost: a\r\n", *pieces])

    answer = answer_of(received, "GET")
    assert (answer.status, answer.code) == (431, "HEADERS_TOO_LARGE")
    assert answer.headers["Connection"] == "close"
    assert (await customers.get("/health")).status == 200


async def test_an_address_that_is_too_long_counts_as_header(customers: Api) -> None:
    received, _ = await exchange(customers, [b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\n\r\n"])

    assert answer_of(received, "GET").code == "HEADERS_TOO_LARGE"


async def test_the_first_of_two_requests_is_answered_before_the_second_is_refused(
    customers: Api,
) -> None:
    first = b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"
    received, _ = await exchange(customers, [first + b"GET /" + b"x" * 40_000])

    assert received.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 431 " in received


async def test_the_length_of_a_chunk_without_end_is_no_sound_http(customers: Api) -> None:
    head = request_head(customers, "POST /customers", "Transfer-Encoding: chunked")
    received, _ = await exchange(customers, [head, b"0" * 1000])

    answer = answer_of(received)
    assert (answer.status, answer.code) == (400, "MALFORMED_REQUEST")


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", HASTY_SECONDS)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("Content-Length: 100", b""),
        ("Content-Length: 100", b'{"name": '),
        ("Transfer-Encoding: chunked", b""),
        ("Transfer-Encoding: chunked", b"5\r\n{}   \r\n"),
    ],
    ids=["nothing of it", "a part of it", "no chunk", "no last chunk"],
)
async def test_a_body_that_does_not_come_in_time_is_told_so(
    customers: Api, field: str, body: bytes
) -> None:
    started = time.monotonic()

    received, _ = await exchange(
        customers, [request_head(customers, "POST /customers", field), body]
    )

    answer = answer_of(received)
    assert (answer.status, answer.code) == (408, "REQUEST_TIMEOUT")
    assert answer.headers["Connection"] == "close"
    assert HASTY_SECONDS <= time.monotonic() - started < HASTY_SECONDS + 5


@pytest.mark.usefixtures("hasty")
async def test_a_body_that_trickles_in_gains_no_time(customers: Api) -> None:
    head = request_head(customers, "POST /customers", "Content-Length: 100000")
    address = urlsplit(customers.base_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    answered = asyncio.create_task(reader.read())
    writer.write(head)
    async with asyncio.timeout(10):
        while not answered.done():
            writer.write(b" ")
            await asyncio.wait([answered], timeout=0.02)
    writer.close()

    assert answer_of(answered.result()).code == "REQUEST_TIMEOUT"


@pytest.mark.usefixtures("hasty")
async def test_an_answer_may_take_longer_than_its_body_may(
    customers: Api, database: TestDatabase
) -> None:
    customer = await a_customer(customers)
    change = {"name": "Late", "email": customer["email"]}
    with holding(
        database, "SELECT 1 FROM customers WHERE id = %s FOR UPDATE", customer["id"]
    ) as it:
        call = asyncio.create_task(customers.call("PUT", f"/customers/{customer['id']}", change))
        await it.until_waiting()
        await asyncio.wait([call], timeout=3 * HASTY_SECONDS)
        assert not call.done()

    assert (await call).status == 200


@pytest.fixture
def impatient_customers(
    monkeypatch: pytest.MonkeyPatch, start_customers: Callable[..., Api]
) -> Api:
    monkeypatch.setattr(server, "IDLE_CONNECTION_SECONDS", HASTY_SECONDS)
    return start_customers()


@pytest.mark.parametrize("beginning", [b"", b"GET /health HTTP/1.1\r\nHost: a\r\nX-Slow: "])
async def test_connections_without_a_whole_request_are_closed_and_others_served_meanwhile(
    impatient_customers: Api, beginning: bytes
) -> None:
    with connections(impatient_customers, 50) as slow:
        for connection in slow:
            connection.sendall(beginning)
            connection.setblocking(False)
        assert (await impatient_customers.get("/health")).status == 200
        await until(lambda: all(map(_is_closed, slow)), "all were closed")
