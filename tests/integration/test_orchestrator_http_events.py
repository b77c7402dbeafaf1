"""What a caller over HTTP sees: who may call, what is read, and the proxy response."""

import base64
import json
from typing import Any

import pytest

from orchestrator_image.function import Function
from service_kit.settings import JwtSettings
from service_kit.tokens import OperatorTokens, Role
from tests.integration.orchestrator_calls import (
    IMPATIENT,
    JWT,
    Context,
    an_order,
    body_of,
    http_event,
    orchestrator,
    token,
)
from tests.integration.orchestrator_upstreams import (
    SERVICE_TOKEN,
    BackOffice,
    StaysSilent,
    problem,
)


def headers(authorization: str | None, **more: str) -> dict[str, str]:
    credential = {} if authorization is None else {"authorization": authorization}
    return {"content-type": "application/json", **credential, **more}


def refused(response: Any, status: int, code: str) -> None:
    """Check that a proxy response is this refusal, in the orchestrator's failure shape."""
    body = body_of(response)
    assert (response["statusCode"], body["error"]["code"]) == (status, code)
    assert body["success"] is False
    assert response["headers"]["content-type"] == "application/json"
    assert response["headers"]["X-Correlation-Id"] == body["correlationId"]


def test_an_order_is_answered_by_a_proxy_response(function: Function) -> None:
    response = function.invoke(http_event(), Context())

    assert set(response) == {"statusCode", "headers", "body"}
    assert response["statusCode"] == 201
    assert response["headers"] == {
        "content-type": "application/json",
        "X-Correlation-Id": "req-789",
    }
    assert body_of(response)["success"] is True
    assert body_of(response)["data"]["order"]["status"] == "CONFIRMED"


def test_a_body_in_base64_is_an_order_too(function: Function) -> None:
    body = base64.b64encode(json.dumps(an_order()).encode()).decode()

    response = function.invoke(http_event(body=body, isBase64Encoded=True), Context())

    assert response["statusCode"] == 201


def test_an_event_of_payload_format_1_is_answered_too(function: Function) -> None:
    event = {
        "resource": "/orchestrator/create-and-confirm-order",
        "httpMethod": "POST",
        "headers": {"Authorization": f"Bearer {token()}", "Content-Type": "application/json"},
        "multiValueHeaders": {"Authorization": [f"Bearer {token()}"]},
        "requestContext": {"stage": "$default"},
        "body": json.dumps(an_order()),
        "isBase64Encoded": False,
    }

    assert function.invoke(event, Context())["statusCode"] == 201


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        "Bearer a.b.c",
        "Bearer \ud800",
        "Bearer " + base64.urlsafe_b64encode(b"[" * 40_000).decode() + ".e30.e30",
        "Basic b3BlcmF0b3I6c2VjcmV0",
        f"Bearer {SERVICE_TOKEN}x",
    ],
)
def test_without_a_good_credential_nobody_orders(
    services: BackOffice, function: Function, authorization: str | None
) -> None:
    response = function.invoke(http_event(headers=headers(authorization)), Context())

    refused(response, 401, "UNAUTHORIZED")
    assert response["headers"]["WWW-Authenticate"] == "Bearer"
    assert services.received == []


def test_an_expired_token_is_no_credential(function: Function) -> None:
    authorization = f"Bearer {token(lifetime_seconds=0)}"

    response = function.invoke(http_event(headers=headers(authorization)), Context())

    refused(response, 401, "UNAUTHORIZED")


@pytest.mark.parametrize(
    "settings",
    [
        JwtSettings(("t" * 32,), JWT.issuer, JWT.audience),
        JwtSettings(JWT.secrets, "another-issuer", JWT.audience),
        JwtSettings(JWT.secrets, JWT.issuer, "another-audience"),
    ],
)
def test_a_token_of_another_system_is_no_credential(
    function: Function, settings: JwtSettings
) -> None:
    foreign = OperatorTokens(settings).issue("somebody", Role.OPERATOR, 60)

    response = function.invoke(http_event(headers=headers(f"Bearer {foreign}")), Context())

    refused(response, 401, "UNAUTHORIZED")


@pytest.mark.parametrize("credential", [token(Role.VIEWER), token(Role.SERVICE), SERVICE_TOKEN])
def test_a_good_credential_for_another_door_opens_nothing(
    services: BackOffice, function: Function, credential: str
) -> None:
    response = function.invoke(http_event(headers=headers(f"Bearer {credential}")), Context())

    refused(response, 403, "FORBIDDEN")
    assert services.received == []


def test_the_credential_is_looked_at_before_all_else(function: Function) -> None:
    event = http_event(headers={"content-type": "text/plain"}, body="{")

    refused(function.invoke(event, Context()), 401, "UNAUTHORIZED")


def test_another_content_type_is_refused_before_the_body_is_read(function: Function) -> None:
    event = http_event(headers=headers(f"Bearer {token()}") | {"content-type": "text/plain"})

    refused(function.invoke(event | {"body": "{"}, Context()), 415, "UNSUPPORTED_MEDIA_TYPE")


def test_no_content_type_at_all_is_taken_for_json(function: Function) -> None:
    event = http_event(headers={"authorization": f"Bearer {token()}"})

    assert function.invoke(event, Context())["statusCode"] == 201


@pytest.mark.parametrize("body", [None, "", "{", "NaN", '{"customer_id": Infinity}', 7, {}])
def test_a_body_that_is_not_json_is_refused(function: Function, body: Any) -> None:
    refused(function.invoke(http_event() | {"body": body}, Context()), 400, "INVALID_JSON")


@pytest.mark.parametrize("body", ["e30", "!!!!", "\ud800"])
def test_broken_base64_is_refused(function: Function, body: str) -> None:
    event = http_event() | {"body": body, "isBase64Encoded": True}

    refused(function.invoke(event, Context()), 400, "INVALID_JSON")


def test_a_body_over_one_mebibyte_is_refused(function: Function) -> None:
    event = http_event() | {"body": json.dumps("x" * 1024 * 1024)}

    refused(function.invoke(event, Context()), 413, "BODY_TOO_LARGE")


def test_an_order_that_does_not_fit_is_refused_with_all_reasons(function: Function) -> None:
    order = an_order(customer_id=True, items=[{"product_id": 2, "qty": 0}])

    response = function.invoke(http_event(order), Context())

    refused(response, 422, "VALIDATION_FAILED")
    pointers = [fact["pointer"] for fact in body_of(response)["error"]["errors"]]
    assert sorted(pointers) == ["/customer_id", "/items/0/qty"]


def test_a_deeply_nested_order_does_not_fit(function: Function) -> None:
    body = '{"customer_id": ' + "[" * 1000 + "]" * 1000 + "}"

    refused(function.invoke(http_event(body=body), Context()), 422, "VALIDATION_FAILED")


def test_the_answer_to_a_long_unknown_name_is_short(function: Function) -> None:
    order = an_order() | {f"{number:03}" + "\u00e9" * 1000: 1 for number in range(120)}

    response = function.invoke(http_event(order), Context())

    refused(response, 422, "VALIDATION_FAILED")
    assert len(json.dumps(response)) < 512 * 1024


def test_the_headers_correlation_id_serves_if_the_body_has_none(
    services: BackOffice, function: Function
) -> None:
    event = http_event(an_order(correlation_id=None))
    event["headers"]["X-Correlation-Id"] = "from-the-header"

    response = function.invoke(event, Context())

    assert body_of(response)["correlationId"] == "from-the-header"
    assert response["headers"]["X-Correlation-Id"] == "from-the-header"
    assert {call.headers["x-correlation-id"] for call in services.received} == {"from-the-header"}


def test_the_bodys_correlation_id_wins_over_the_headers(
    services: BackOffice, function: Function
) -> None:
    event = http_event()
    event["headers"]["x-correlation-id"] = "from-the-header"

    response = function.invoke(event, Context())

    assert body_of(response)["correlationId"] == "req-789"
    assert response["headers"]["X-Correlation-Id"] == "req-789"
    assert {call.headers["x-correlation-id"] for call in services.received} == {"req-789"}


def test_a_malformed_correlation_id_in_the_header_is_replaced(function: Function) -> None:
    event = http_event(an_order(correlation_id=None))
    event["headers"]["x-correlation-id"] = "not an id"

    response = function.invoke(event, Context())

    assert response["statusCode"] == 201
    assert response["headers"]["X-Correlation-Id"] not in {"", "not an id"}


def test_a_malformed_correlation_id_in_the_body_leaves_the_headers(function: Function) -> None:
    event = http_event(an_order(correlation_id="not an id"))
    event["headers"]["x-correlation-id"] = "from-the-header"

    response = function.invoke(event, Context())

    refused(response, 422, "VALIDATION_FAILED")
    assert response["headers"]["X-Correlation-Id"] == "from-the-header"


def test_a_refusal_has_the_steps_status(services: BackOffice, function: Function) -> None:
    services.plan("create", problem(409, "INSUFFICIENT_STOCK"))

    refused(function.invoke(http_event(), Context()), 409, "INSUFFICIENT_STOCK")


def test_a_caller_is_told_when_to_come_back_after_503(
    services: BackOffice, function: Function
) -> None:
    services.plan("create", *[problem(503, "BUSY")] * 4)

    response = function.invoke(http_event(), Context())

    refused(response, 503, "BUSY")
    assert int(response["headers"]["Retry-After"]) >= 1


def test_a_caller_is_told_when_to_come_back_after_504(services: BackOffice) -> None:
    services.plan("create", *[StaysSilent()] * 4)

    with orchestrator(services.base_url, IMPATIENT) as impatient:
        response = impatient.invoke(http_event(), Context())

    refused(response, 504, "UPSTREAM_TIMEOUT")
    assert int(response["headers"]["Retry-After"]) >= 1


def test_a_defect_of_ours_is_a_proxy_response_too(
    function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise RecursionError

    monkeypatch.setattr(function, "_workflow", fail)

    refused(function.invoke(http_event(), Context()), 500, "INTERNAL_ERROR")
