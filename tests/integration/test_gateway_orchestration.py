"""The orchestrator over HTTP: who may call it, what the function gets, what comes back."""

import base64
import json
from typing import Any

import pytest

from tests.apis import SERVICE_TOKEN, Answer, Api, token
from tests.integration.gateway_calls import ORCHESTRATION, System, raw_request
from tests.integration.gateway_emulators import says
from tests.integration.gateway_peers import answers

ORDER = {"customer_id": 1, "items": [{"product_id": 2, "qty": 3}], "idempotency_key": "abc-123"}


def refused(answer: Answer, status: int, code: str) -> None:
    """Check that an answer is this refusal, in the orchestrator's failure shape."""
    assert (answer.status, answer.json["error"]["code"]) == (status, code)
    assert answer.json["success"] is False
    assert answer.json["correlationId"] == answer.headers["X-Correlation-Id"]
    assert isinstance(answer.json["error"]["message"], str)
    assert answer.headers["Content-Type"] == "application/json"


async def test_an_order_goes_to_the_function_and_its_answer_comes_back(
    gateway: Api, system: System
) -> None:
    answer = await gateway.post(ORCHESTRATION, ORDER, X_Correlation_Id="req-1")

    assert answer.status == 201
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json["correlationId"] == answer.headers["X-Correlation-Id"] == "req-1"
    assert json.loads(system.emulator.events[0]["body"]) == ORDER
    assert system.emulator.received[0].target == "/2015-03-31/functions/function/invocations"


async def test_the_event_is_api_gateways(gateway: Api, system: System) -> None:
    await raw_request(
        gateway,
        f"POST {ORCHESTRATION}?a=1&b=x+y&a=2 HTTP/1.1",
        f"Authorization: Bearer {gateway.token}",
        "Content-Type: application/json",
        "User-Agent: test",
        "Cookie: c=1; d=2",
        "Accept: a/a",
        "Accept: b/b",
        body=b"{}",
    )

    event = system.emulator.events[0]
    context = event["requestContext"]
    assert event["version"] == "2.0"
    assert event["routeKey"] == context["routeKey"] == f"POST {ORCHESTRATION}"
    assert event["rawPath"] == context["http"]["path"] == ORCHESTRATION
    assert event["rawQueryString"] == "a=1&b=x+y&a=2"
    assert event["queryStringParameters"] == {"a": "1,2", "b": "x y"}
    assert event["cookies"] == ["c=1", "d=2"]
    assert event["headers"]["accept"] == "a/a,b/b"
    assert event["headers"]["authorization"] == f"Bearer {gateway.token}"
    assert event["headers"]["host"] == "shop.example:8080"
    assert "connection" not in event["headers"]
    assert context["http"]["sourceIp"] == "127.0.0.1"
    assert context["stage"] == "$default"
    assert (event["body"], event["isBase64Encoded"]) == ("{}", False)


@pytest.mark.parametrize("body", [b"\xff", b"\x00" * 1024 * 1024])
async def test_a_body_that_is_no_text_goes_in_base64(
    gateway: Api, system: System, body: bytes
) -> None:
    await gateway.call("POST", ORCHESTRATION, data=body)

    event = system.emulator.events[0]
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == body


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"a": 1}', b'{"correlation_id": 7}', b"[" * 1024 * 1024]
)
async def test_what_a_body_is_worth_is_for_the_function_to_say(
    gateway: Api, system: System, body: bytes
) -> None:
    reply = await raw_request(
        gateway,
        f"POST {ORCHESTRATION} HTTP/1.1",
        f"Authorization: Bearer {gateway.token}",
        "Content-Type: text/plain",
        body=body,
    )

    assert reply.startswith(b"HTTP/1.1 201 ")
    assert system.emulator.events[0].get("body", "").encode() == body


@pytest.mark.parametrize(
    ("credential", "status", "code"),
    [
        (None, 401, "UNAUTHORIZED"),
        ("nonsense", 401, "UNAUTHORIZED"),
        (token(exp=1), 401, "UNAUTHORIZED"),
        (token(secret="another-secret-of-32-bytes-or-more!!"), 401, "UNAUTHORIZED"),
        (token(aud="others"), 401, "UNAUTHORIZED"),
        (token("viewer"), 403, "FORBIDDEN"),
        (token("king"), 403, "FORBIDDEN"),
        (SERVICE_TOKEN, 403, "FORBIDDEN"),
    ],
)
async def test_only_an_operator_gets_to_the_function(
    gateway: Api, system: System, credential: str | None, status: int, code: str
) -> None:
    answer = await gateway.called_with(credential).post(ORCHESTRATION, ORDER)

    refused(answer, status, code)
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    assert not system.emulator.events


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])
async def test_another_method_is_a_problem(gateway: Api, method: str) -> None:
    answer = await gateway.call(method, ORCHESTRATION)

    assert answer.status == 405
    assert answer.headers["Allow"] == "POST"
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/orchestrator", "/orchestrator/other", ORCHESTRATION + "/"])
async def test_another_path_is_a_problem(gateway: Api, path: str) -> None:
    assert (await gateway.post(path, ORDER)).code == "NOT_FOUND"


@pytest.mark.parametrize(
    ("fields", "body"),
    [([], b" " * (1024 * 1024 + 1)), (["Content-Length: 99999999999"], b"")],
)
async def test_a_body_that_is_too_large_is_refused_in_the_failure_shape(
    gateway: Api, system: System, fields: list[str], body: bytes
) -> None:
    reply = await raw_request(
        gateway,
        f"POST {ORCHESTRATION} HTTP/1.1",
        f"Authorization: Bearer {gateway.token}",
        "X-Correlation-Id: req-3",
        *fields,
        body=body,
    )

    head, _, written = reply.partition(b"\r\n\r\n")
    failure = json.loads(written)
    assert head.startswith(b"HTTP/1.1 413 ")
    assert b"Content-Type: application/json\r\n" in head
    assert (failure["success"], failure["correlationId"]) == (False, "req-3")
    assert failure["error"]["code"] == "BODY_TOO_LARGE"
    assert not system.emulator.events


async def test_the_id_in_the_body_wins(gateway: Api, system: System) -> None:
    order = {**ORDER, "correlation_id": "req-789"}

    answer = await gateway.post(ORCHESTRATION, order, X_Correlation_Id="req-1")

    assert answer.headers.getall("X-Correlation-Id") == ["req-789"]
    assert system.emulator.events[0]["headers"]["x-correlation-id"] == "req-789"


async def test_the_id_in_the_body_stands_in_a_refusal_of_the_gateways_own(
    gateway: Api, system: System
) -> None:
    system.emulator.plan(says({"errorType": "Oops"}))

    answer = await gateway.post(ORCHESTRATION, {**ORDER, "correlation_id": "req-789"})

    refused(answer, 503, "UPSTREAM_UNAVAILABLE")
    assert answer.json["correlationId"] == "req-789"


async def test_the_function_has_the_last_word_on_the_id(gateway: Api, system: System) -> None:
    headers = {"x-correlation-id": "from-the-function"}
    system.emulator.plan(says({"statusCode": 201, "headers": headers, "body": "{}"}))

    answer = await gateway.post(ORCHESTRATION, ORDER, X_Correlation_Id="req-1")

    came = answer.headers.getall("X-Correlation-Id")
    assert came == ["from-the-function"]


async def test_a_proxy_response_becomes_the_answer(gateway: Api, system: System) -> None:
    system.emulator.plan(
        says(
            {
                "statusCode": 409,
                "headers": {
                    "content-type": "application/json",
                    "Retry-After": 7,
                    "WWW-Authenticate": "Bearer",
                    "Connection": "close",
                    "Content-Length": "1",
                },
                "cookies": ["a=1", "b=2"],
                "body": base64.b64encode("é".encode()).decode(),
                "isBase64Encoded": True,
            }
        )
    )

    answer = await gateway.post(ORCHESTRATION, ORDER)

    assert (answer.status, answer.body) == (409, "é".encode())
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Retry-After"] == "7"
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.headers["Content-Length"] == "2"
    assert "Connection" not in answer.headers
    assert answer.headers.getall("Set-Cookie") == ["a=1", "b=2"]


async def test_a_proxy_response_may_have_no_body(gateway: Api, system: System) -> None:
    system.emulator.plan(says({"statusCode": 204}), says({"statusCode": 202, "body": ""}))

    nothing = await gateway.post(ORCHESTRATION, ORDER)
    empty = await gateway.post(ORCHESTRATION, ORDER)

    assert (nothing.status, nothing.body) == (204, b"")
    assert (empty.status, empty.body) == (202, b"")
    assert "Content-Type" not in nothing.headers
    assert "Content-Type" not in empty.headers


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        (b"Task timed out after 20.00 seconds", 504, "UPSTREAM_TIMEOUT"),
        ({"errorType": "ValueError", "errorMessage": "secret"}, 503, "UPSTREAM_UNAVAILABLE"),
        (b"nonsense", 503, "UPSTREAM_UNAVAILABLE"),
        (b"", 503, "UPSTREAM_UNAVAILABLE"),
        (None, 503, "UPSTREAM_UNAVAILABLE"),
        ([1], 503, "UPSTREAM_UNAVAILABLE"),
        ({"success": True}, 503, "UPSTREAM_UNAVAILABLE"),
        ({"statusCode": 99}, 503, "UPSTREAM_UNAVAILABLE"),
        ({"statusCode": 200, "body": {}}, 503, "UPSTREAM_UNAVAILABLE"),
        ({"statusCode": 200, "headers": {"X": "a\r\nB: c"}}, 503, "UPSTREAM_UNAVAILABLE"),
        (b'{"statusCode": 200, "body": "' + b"x" * 7_000_000, 503, "UPSTREAM_UNAVAILABLE"),
    ],
)
async def test_an_answer_that_is_none_is_a_failure(
    gateway: Api, system: System, said: Any, status: int, code: str
) -> None:
    system.emulator.plan(says(said))

    answer = await gateway.post(ORCHESTRATION, ORDER)

    refused(answer, status, code)
    assert answer.headers["Retry-After"] == "1"
    assert b"secret" not in answer.body
    assert len(system.emulator.events) == 1
    # The place is free again.
    assert (await gateway.post(ORCHESTRATION, ORDER)).status == 201


async def test_an_emulator_that_refuses_an_event_stays_in_use(gateway: Api, system: System) -> None:
    system.emulator.plan(answers(400, b"{}"))

    refused(await gateway.post(ORCHESTRATION, ORDER), 503, "UPSTREAM_UNAVAILABLE")
    assert len(system.emulator.events) == 1
    assert (await gateway.post(ORCHESTRATION, ORDER)).status == 201
