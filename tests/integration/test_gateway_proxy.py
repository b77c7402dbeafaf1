"""The services' paths, passed through: nothing lost, nothing added, nothing held back."""

import asyncio
import gzip

import pytest

from tests.apis import Api
from tests.integration.gateway_calls import System, raw_head, raw_request
from tests.integration.gateway_peers import Conversation, answers

MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/customers", "customers"),
        ("/customers/1", "customers"),
        ("/products", "orders"),
        ("/products/2", "orders"),
        ("/orders", "orders"),
        ("/orders/3/confirm", "orders"),
    ],
)
async def test_a_path_goes_to_its_service(
    gateway: Api, system: System, path: str, service: str
) -> None:
    assert (await gateway.get(path)).status == 200

    received = {"customers": system.customers.received, "orders": system.orders.received}
    assert [request.target for request in received.pop(service)] == [path]
    assert not any(received.values())


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_every_method_goes_through(gateway: Api, system: System, method: str) -> None:
    assert (await gateway.call(method, "/customers/1")).status == 200

    assert system.customers.last.method == method


async def test_the_query_is_passed_on_to_the_letter(gateway: Api, system: System) -> None:
    query = "search=a+b%20c%2Fd&search=%C3%A9&&x;y=[1]&t='\"<>\\^`{|}&empty=&limit=-1?/:@"

    await raw_request(gateway, f"GET /customers?{query} HTTP/1.1")

    assert system.customers.last.target == f"/customers?{query}"


async def test_what_no_url_may_hold_is_escaped_in_the_query(gateway: Api, system: System) -> None:
    await raw_request(gateway, "GET /customers?search=caf\xc3\xa9#1 HTTP/1.1")

    assert system.customers.last.target == "/customers?search=caf%C3%A9%231"


async def test_a_body_goes_through_byte_for_byte(gateway: Api, system: System) -> None:
    body = bytes(range(256)) * (MEBIBYTE // 256)

    answer = await gateway.call("POST", "/customers", data=body, Content_Type="text/x")

    assert answer.status == 200
    assert system.customers.last.body == body
    assert system.customers.last.value("Content-Type") == "text/x"
    assert system.customers.last.value("Content-Length") == str(MEBIBYTE)


async def test_a_body_over_a_mebibyte_is_refused_here(gateway: Api, system: System) -> None:
    reply = await raw_request(gateway, "POST /orders HTTP/1.1", body=b" " * (MEBIBYTE + 1))

    assert reply.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"BODY_TOO_LARGE"' in reply
    assert not system.orders.received


async def test_a_service_gets_no_field_that_the_client_did_not_send(
    gateway: Api, system: System
) -> None:
    await raw_request(gateway, "GET /customers HTTP/1.1")

    assert {name for name, _ in system.customers.last.fields} == {
        "Host",
        "X-Correlation-Id",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
    }


async def test_the_service_learns_who_asked_for_what_host(gateway: Api, system: System) -> None:
    await raw_request(gateway, "GET /customers HTTP/1.1", "X-Forwarded-For: 203.0.113.7")

    last = system.customers.last
    assert last.value("Host") == f"127.0.0.1:{system.customers.port}"
    assert last.value("X-Forwarded-For") == "203.0.113.7, 127.0.0.1"
    assert last.value("X-Forwarded-Host") == "shop.example:8080"
    assert last.value("X-Forwarded-Proto") == "http"


async def test_credentials_and_preconditions_go_through(gateway: Api, system: System) -> None:
    sent = {"If-Match": '"3"', "If-None-Match": '"4"', "X-Idempotency-Key": "a b"}

    await raw_request(
        gateway,
        "PUT /customers/1 HTTP/1.1",
        "Authorization: Bearer whatever",
        *(f"{name}: {value}" for name, value in sent.items()),
    )

    last = system.customers.last
    assert last.value("Authorization") == "Bearer whatever"
    assert {name: last.value(name) for name in sent} == sent


async def test_fields_for_the_connection_alone_do_not_reach_the_service(
    gateway: Api, system: System
) -> None:
    await raw_head(
        gateway,
        "POST /customers HTTP/1.1",
        "Connection: X-Secret , x-other",
        "Keep-Alive: timeout=5",
        "Proxy-Connection: keep-alive",
        "Proxy-Authorization: Basic eA==",
        "TE: trailers",
        "Trailer: X-Sum",
        "Upgrade: websocket",
        "X-Secret: 1",
        "X-Other: 2",
        "X-Kept: 3",
        "Expect: 100-continue",
        body=b"{}",
    )

    assert {name for name, _ in system.customers.last.fields} == {
        "Content-Length",
        "Host",
        "X-Correlation-Id",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Kept",
    }


async def test_a_chunked_body_arrives_with_a_length(gateway: Api, system: System) -> None:
    await raw_request(
        gateway,
        "POST /customers HTTP/1.1",
        "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0",
    )

    assert system.customers.last.body == b"{}"
    assert system.customers.last.values("Transfer-Encoding") == []


async def test_fields_for_the_connection_alone_do_not_reach_the_client(
    gateway: Api, system: System
) -> None:
    system.customers.plan(
        answers(
            200,
            b"{}",
            {
                "Connection": "X-Hop, keep-alive",
                "X-Hop": "1",
                "Keep-Alive": "timeout=1",
                "Proxy-Authenticate": "Basic",
                "Upgrade": "h2c",
                "X-Kept": "2",
            },
        )
    )

    answer = await gateway.get("/customers")

    assert answer.headers["X-Kept"] == "2"
    gone = {"X-Hop", "Connection", "Keep-Alive", "Proxy-Authenticate", "Upgrade"}
    assert not gone & set(answer.headers)


async def test_the_answers_fields_come_through_and_none_of_the_gateways_own(
    gateway: Api, system: System
) -> None:
    fields = [
        ("Content-Type", "application/problem+json"),
        ("Date", "Tue, 15 Nov 1994 08:12:31 GMT"),
        ("ETag", '"7"'),
        ("Location", "/orders/101"),
        ("Retry-After", "1"),
        ("WWW-Authenticate", "Bearer"),
        ("Idempotent-Replayed", "true"),
        ("Allow", "GET, HEAD"),
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2"),
        ("X-Note", "caf\xe9\tau lait"),
    ]
    system.orders.plan(answers(409, b"{}", fields))

    head = (await raw_request(gateway, "POST /orders HTTP/1.1")).partition(b"\r\n\r\n")[0]
    lines = head.decode("latin-1").split("\r\n")

    assert lines.pop(0) == "HTTP/1.1 409 Conflict"
    came = [line.partition(": ") for line in lines]
    ours = [(n, v) for n, _, v in came if n not in {"X-Correlation-Id", "Connection"}]
    expected = [(name.title(), value.replace("\t", " ")) for name, value in fields]
    assert sorted((name.title(), value) for name, value in ours) == sorted(
        [*expected, ("Content-Length", "2")]
    )


async def test_a_redirect_is_the_clients_to_follow(gateway: Api, system: System) -> None:
    system.customers.plan(answers(307, b"", {"Location": "/internal/customers/1"}))

    answer = await gateway.get("/customers/1")

    assert (answer.status, answer.headers["Location"]) == (307, "/internal/customers/1")
    assert len(system.customers.received) == 1


async def test_a_compressed_answer_stays_compressed(gateway: Api, system: System) -> None:
    packed = gzip.compress(b"x" * 1000)
    system.customers.plan(answers(200, packed, {"Content-Encoding": "gzip"}))

    reply = await raw_request(gateway, "GET /customers HTTP/1.1", "Accept-Encoding: gzip")

    assert reply.partition(b"\r\n\r\n")[2] == packed
    assert b"Content-Encoding: gzip" in reply
    assert system.customers.last.value("Accept-Encoding") == "gzip"


async def test_head_tells_the_length_and_sends_nothing(gateway: Api, system: System) -> None:
    async def tells(conversation: Conversation) -> None:
        await conversation.begin(200, {"Content-Length": "5000", "ETag": '"1"'}.items())

    system.customers.plan(tells)

    reply = await raw_request(gateway, "HEAD /customers/1 HTTP/1.1")

    head, _, body = reply.partition(b"\r\n\r\n")
    assert b"Content-Length: 5000" in head
    assert b'Etag: "1"' in head
    assert body == b""


async def test_head_of_an_answer_without_length_gets_none_of_ours(
    gateway: Api, system: System
) -> None:
    async def tells(conversation: Conversation) -> None:
        await conversation.begin(200, [("Transfer-Encoding", "chunked")])

    system.customers.plan(tells)

    reply = await raw_request(gateway, "HEAD /customers/1 HTTP/1.1")

    assert reply.startswith(b"HTTP/1.1 200")
    assert b"Content-Length" not in reply
    assert b"Transfer-Encoding" not in reply


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_without_body_has_none(gateway: Api, system: System, status: int) -> None:
    async def says_so(conversation: Conversation) -> None:
        await conversation.begin(status, [("ETag", '"9"')])

    system.customers.plan(says_so)

    reply = await raw_request(gateway, "GET /customers/1 HTTP/1.1", 'If-None-Match: "9"')

    head, _, body = reply.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d" % status)
    assert b'Etag: "9"' in head
    assert b"Content-Type" not in head
    assert b"Content-Length" not in head
    assert body == b""


async def test_a_connection_serves_one_answer_after_the_other(gateway: Api, system: System) -> None:
    for status in (204, 304, 200, 404):
        system.customers.plan(answers(status, b"" if status in {204, 304} else b"{}"))
        assert (await gateway.get("/customers/1")).status == status


async def test_an_answer_is_handed_on_as_it_comes(gateway: Api, system: System) -> None:
    next_part = asyncio.Event()

    async def trickles(conversation: Conversation) -> None:
        await conversation.begin(200, [("Transfer-Encoding", "chunked")])
        for part in (b"one", b"two", b""):
            await next_part.wait()
            next_part.clear()
            await conversation.say_chunk(part)

    system.customers.plan(trickles)
    url = f"{gateway.base_url}/customers"

    # The headers come before there is any body, and each part before there is a next one.
    async with asyncio.timeout(5), gateway.session.get(url) as response:
        for part in (b"one", b"two", b""):
            next_part.set()
            assert await response.content.readany() == part


async def test_a_large_answer_comes_whole(gateway: Api, system: System) -> None:
    body = bytes(range(251)) * 80_000  # 20 MB
    system.customers.plan(answers(200, body))

    assert (await gateway.get("/customers")).body == body


async def test_the_clients_correlation_id_goes_along(gateway: Api, system: System) -> None:
    system.customers.plan(answers(200, b"{}", {"X-Correlation-Id": "another"}))

    reply = await raw_request(gateway, "GET /customers HTTP/1.1", "X-Correlation-Id: req-1")

    assert system.customers.last.value("X-Correlation-Id") == "req-1"
    assert reply.lower().count(b"x-correlation-id") == 1
    assert b"X-Correlation-Id: req-1\r\n" in reply


@pytest.mark.parametrize("given", [[], ["X-Correlation-Id: a b"], ["X-Correlation-Id: a"] * 2])
async def test_without_a_good_correlation_id_there_is_a_new_one(
    gateway: Api, system: System, given: list[str]
) -> None:
    reply = await raw_request(gateway, "GET /customers HTTP/1.1", *given)

    sent = system.customers.last.value("X-Correlation-Id")
    assert sent is not None
    assert len(sent) == 36
    assert reply.count(f"X-Correlation-Id: {sent}\r\n".encode()) == 1


async def test_a_method_that_only_the_service_knows_of_is_for_it_to_refuse(
    gateway: Api, system: System
) -> None:
    system.orders.plan(answers(405, b"{}", {"Allow": "POST"}))

    answer = await gateway.call("PUT", "/orders/1/confirm")

    assert (answer.status, answer.headers["Allow"]) == (405, "POST")


async def test_a_method_that_nobody_knows_is_refused_here(gateway: Api, system: System) -> None:
    answer = await gateway.call("BREW", "/orders")

    assert (answer.status, answer.code) == (405, "METHOD_NOT_ALLOWED")
    assert "GET" in answer.headers["Allow"]
    assert not system.orders.received
