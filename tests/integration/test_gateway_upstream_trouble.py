"""A service that is away, dies, hangs or talks nonsense; a client that leaves or is deaf."""

import asyncio
import socket
import time
from dataclasses import replace

import pytest
from tornado.ioloop import IOLoop

from service_kit.retrying import Backoff
from tests.apis import Api
from tests.integration.gateway_calls import (
    QUICK,
    Client,
    System,
    impatient_with_services,
    port_of,
    raw_request,
    until,
)
from tests.integration.gateway_peers import Act, Conversation, answers, cuts, stays_silent

READS = ["GET", "HEAD"]
WRITES = ["POST", "PUT", "PATCH", "DELETE"]


@pytest.fixture
def impatient(io_loop: IOLoop, system: System) -> Api:
    patience = impatient_with_services(answer=0.2, client=0.2)
    api: Api = io_loop.run_sync(lambda: system.gateway(patience))
    return api


async def test_a_service_that_is_away_is_unavailable(gateway: Api, system: System) -> None:
    await system.customers.stop()

    answer = await gateway.post("/customers", {})

    assert (answer.status, answer.code) == (503, "UPSTREAM_UNAVAILABLE")
    assert answer.headers["Retry-After"] == "1"
    assert (await gateway.get("/orders")).status == 200


@pytest.mark.parametrize("method", READS + WRITES)
async def test_what_was_refused_is_sent_once_the_service_listens(
    system: System, method: str
) -> None:
    persistent = Backoff(0.005, 0.01, attempts=10_000)
    services = replace(QUICK.services, backoff=persistent)
    gateway = await system.gateway(replace(QUICK, services=services))
    await system.customers.stop()

    call = asyncio.create_task(gateway.call(method, "/customers/1"))
    done, _ = await asyncio.wait([call], timeout=0.05)
    assert not done
    await system.customers.start()

    assert (await call).status == 200
    assert len(system.customers.received) == 1


@pytest.mark.parametrize("method", WRITES)
async def test_a_write_that_was_cut_off_is_not_sent_again(
    gateway: Api, system: System, method: str
) -> None:
    # The second one meets a connection that was used before, which tempts a client to try again.
    await gateway.get("/customers/1")
    system.customers.plan(cuts)

    answer = await gateway.call(method, "/customers/1")

    assert (answer.status, answer.code) == (503, "UPSTREAM_UNAVAILABLE")
    assert [request.method for request in system.customers.received] == ["GET", method]


@pytest.mark.parametrize("method", WRITES)
async def test_a_write_on_a_fresh_connection_that_was_cut_off_is_not_sent_again(
    gateway: Api, system: System, method: str
) -> None:
    system.customers.plan(cuts)

    assert (await gateway.call(method, "/customers/1", {})).status == 503
    assert len(system.customers.received) == 1


@pytest.mark.parametrize("method", READS)
async def test_a_read_that_was_cut_off_is_sent_again(
    gateway: Api, system: System, method: str
) -> None:
    system.customers.plan(cuts, cuts, answers(200, b"{}"))

    assert (await gateway.call(method, "/customers/1")).status == 200
    assert len(system.customers.received) == 3


async def test_a_read_is_sent_three_times_and_no_more(gateway: Api, system: System) -> None:
    system.customers.plan(*[cuts] * 9)

    answer = await gateway.get("/customers/1")

    assert (answer.status, answer.code) == (503, "UPSTREAM_UNAVAILABLE")
    assert len(system.customers.received) == 3


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_service_that_hangs_is_given_up(
    impatient: Api, system: System, method: str
) -> None:
    system.customers.plan(stays_silent)

    answer = await impatient.call(method, "/customers")

    assert (answer.status, answer.code) == (504, "UPSTREAM_TIMEOUT")
    assert answer.headers["Retry-After"] == "1"
    assert len(system.customers.received) == 1


async def test_half_a_head_is_no_answer(impatient: Api, system: System) -> None:
    async def stops_in_the_head(conversation: Conversation) -> None:
        await conversation.say(b"HTTP/1.1 200 OK\r\nContent-Le")
        await conversation.until_left()

    system.customers.plan(stops_in_the_head)

    assert (await impatient.get("/customers")).status == 504


@pytest.mark.parametrize(
    "nonsense",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nX-Bell: \x07\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Delete: \x7f\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\n",
    ],
)
async def test_nonsense_is_not_handed_on(gateway: Api, system: System, nonsense: bytes) -> None:
    async def talks_nonsense(conversation: Conversation) -> None:
        await conversation.say(nonsense)
        await conversation.until_left()

    system.customers.plan(*[talks_nonsense] * 3)

    answer = await gateway.get("/customers")

    assert (answer.status, answer.code) == (503, "UPSTREAM_UNAVAILABLE")


async def half_of_a_length(conversation: Conversation) -> None:
    await conversation.begin(200, [("Content-Length", "100")])
    await conversation.say(b"half")


async def half_of_the_chunks(conversation: Conversation) -> None:
    await conversation.begin(200, [("Transfer-Encoding", "chunked")])
    await conversation.say_chunk(b"half")


async def resets(conversation: Conversation) -> None:
    conversation.cut()


async def closes(conversation: Conversation) -> None:
    conversation.writer.close()


async def falls_silent(conversation: Conversation) -> None:
    await conversation.until_left()


@pytest.mark.parametrize("begin", [half_of_a_length, half_of_the_chunks])
@pytest.mark.parametrize("end", [resets, closes, falls_silent])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_half_an_answer_cannot_pass_for_a_whole_one(
    impatient: Api, system: System, begin: Act, end: Act, version: str
) -> None:
    is_half_there = asyncio.Event()

    async def breaks_off(conversation: Conversation) -> None:
        await begin(conversation)
        await is_half_there.wait()
        await end(conversation)

    system.customers.plan(breaks_off)
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(impatient))
    writer.write(b"GET /customers HTTP/%b\r\nHost: x\r\n\r\n" % version.encode())

    assert (await reader.readuntil(b"half")).startswith(b"HTTP/1.1 200 OK")
    is_half_there.set()
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()

    # Nothing is left behind: the gateway goes on as before.
    assert (await impatient.get("/customers")).status == 200
    await until(lambda: system.application.requests_under_way == 0)


async def test_a_body_that_is_cut_before_anything_was_sent_on_is_a_problem(
    gateway: Api, system: System
) -> None:
    async def promises(conversation: Conversation) -> None:
        await conversation.say(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot a chunk\r\n"
        )

    system.customers.plan(promises, promises, promises)

    answer = await gateway.get("/customers")

    assert (answer.status, answer.code) == (503, "UPSTREAM_UNAVAILABLE")


async def test_when_the_client_leaves_the_service_is_left_too(gateway: Api, system: System) -> None:
    left = asyncio.Event()

    async def waits(conversation: Conversation) -> None:
        await conversation.until_left()
        left.set()

    system.customers.plan(waits)
    client = await Client.sends(gateway, "GET", "/customers")
    await until(lambda: system.customers.received)
    client.leaves()

    async with asyncio.timeout(5):
        await left.wait()
    await until(lambda: system.application.requests_under_way == 0)


async def test_when_the_client_leaves_in_the_middle_nothing_more_is_read(
    gateway: Api, system: System
) -> None:
    left = asyncio.Event()

    async def goes_on_and_on(conversation: Conversation) -> None:
        await conversation.begin(200, [("Transfer-Encoding", "chunked")])
        try:
            while True:
                await conversation.say_chunk(b"x" * 10_000)
        except ConnectionError:
            left.set()

    system.customers.plan(goes_on_and_on)
    client = await Client.sends(gateway, "GET", "/customers")
    await client.reader.readexactly(1000)
    client.leaves()

    async with asyncio.timeout(5):
        await left.wait()
    await until(lambda: system.application.requests_under_way == 0)


async def test_a_client_that_does_not_read_is_left(impatient: Api, system: System) -> None:
    left = asyncio.Event()
    sent = 0

    async def goes_on_and_on(conversation: Conversation) -> None:
        nonlocal sent
        await conversation.begin(200, [("Transfer-Encoding", "chunked")])
        try:
            while True:
                await conversation.say_chunk(b"x" * 100_000)
                sent += 100_000
        except ConnectionError:
            left.set()

    system.customers.plan(goes_on_and_on)
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    opened.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(opened, ("127.0.0.1", port_of(impatient)))
    await loop.sock_sendall(opened, b"GET /customers HTTP/1.1\r\nHost: x\r\n\r\n")

    async with asyncio.timeout(5):
        await left.wait()
    opened.close()
    # What it did not read was not piled up here.
    assert sent < 20_000_000
    await until(lambda: system.application.requests_under_way == 0)


async def test_a_slow_service_does_not_hold_up_the_other(system: System) -> None:
    gateway = await system.gateway(QUICK)
    system.customers.plan(*[stays_silent] * 300)
    clients = [await Client.sends(gateway, "GET", "/customers") for _ in range(300)]
    await until(lambda: len(system.customers.received) > 200)

    began = time.monotonic()
    assert (await gateway.get("/orders")).status == 200
    assert time.monotonic() - began < 2
    for client in clients:
        client.leaves()


async def test_waiting_for_a_free_connection_ends(system: System) -> None:
    gateway = await system.gateway(impatient_with_services(free_connection=0.1))
    system.customers.plan(*[stays_silent] * 300)
    clients = [await Client.sends(gateway, "GET", "/customers") for _ in range(256)]
    await until(lambda: len(system.customers.received) == 256)

    answer = await gateway.get("/customers")

    assert (answer.status, answer.code) == (503, "UPSTREAM_UNAVAILABLE")
    for client in clients:
        client.leaves()


async def test_http_1_0_is_spoken_too(gateway: Api, system: System) -> None:
    reply = await raw_request(gateway, "GET /customers HTTP/1.0")

    assert reply.startswith(b"HTTP/1.1 200")
    assert reply.endswith(b"{}")
