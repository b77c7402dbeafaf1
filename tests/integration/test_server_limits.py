"""What the server itself refuses, before any handler is asked, and how much it takes on."""

import asyncio
import socket
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from service_kit import bodies
from service_kit.server import Server
from tests.apis import Answer, Api
from tests.integration.raw_http import answer_of, exchange, request_head
from tests.waiting import until

MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /health HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST /customers HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /customers HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        (
            b"POST /customers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Length: 2\r\n\r\n{}"
        ),
        b"POST /customers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n\r\n",
    ],
    ids=["line", "two hosts", "header", "two lengths", "length", "length and chunks", "chunk"],
)
async def test_what_is_no_sound_http_is_a_problem_too_and_the_connection_ends(
    customers: Api, request_bytes: bytes
) -> None:
    received, _ = await exchange(customers, [request_bytes])

    answer = answer_of(received, "GET")
    assert (answer.status, answer.code) == (400, "MALFORMED_REQUEST")
    assert answer.headers["Connection"] == "close"
    assert (await customers.get("/health")).status == 200


async def test_connections_above_the_bound_are_closed_and_those_below_are_served(
    customers: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await customers.get("/health")).status == 200  # keeps its connection
    address = urlsplit(customers.base_url)
    servers: list[Server] = []
    original = Server.handle_stream

    def remember(self: Server, *arguments: object) -> None:
        self.most_connections = 3
        servers.append(self)
        original(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Server, "handle_stream", remember)
    with ExitStack() as opened:
        idle = [
            opened.enter_context(socket.create_connection((address.hostname, address.port)))
            for _ in range(5)
        ]
        for connection in idle:
            connection.setblocking(False)
        await until(lambda: sum(map(_is_closed, idle)) >= 3, "three were closed")
        assert (await customers.get("/health/live")).status == 200


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
