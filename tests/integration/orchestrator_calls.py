"""How the tests call the orchestrator: as the Lambda runtime does, synchronously."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from orchestrator_image.function import Function
from orchestrator_image.settings import PATIENCE, Patience, Settings
from service_kit.retrying import Backoff
from service_kit.settings import JwtSettings
from service_kit.tokens import OperatorTokens, Role
from service_kit.upstream import Timeouts
from tests.integration.orchestrator_upstreams import SERVICE_TOKEN

JWT = JwtSettings(("s" * 32,), "the-issuer", "the-audience")

QUICK_TO_REPEAT = replace(PATIENCE, backoff=Backoff(0.001, 0.005, attempts=4))
"""As patient as in production, but without waits between attempts."""

IMPATIENT = replace(
    QUICK_TO_REPEAT,
    customers=Timeouts(connect=0.2, total=0.2),
    orders=Timeouts(connect=0.2, total=0.2),
)
"""Gives an attempt so little time that a test may wait for the end of all of them."""


class Context:
    """What the runtime hands over beside the event."""

    aws_request_id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"

    def __init__(self, seconds: float = 20.0) -> None:
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._end - time.monotonic()) * 1000))


@contextmanager
def orchestrator(
    base_url: str, patience: Patience = QUICK_TO_REPEAT, orders_base_url: str | None = None
) -> Iterator[Function]:
    """Run the function with both services at one base URL, or each at its own."""
    function = Function(
        Settings(
            customers_api_base=base_url,
            orders_api_base=orders_base_url or base_url,
            service_tokens=(SERVICE_TOKEN,),
            jwt=JWT,
            log_level="INFO",
            patience=patience,
        )
    )
    try:
        yield function
    finally:
        function.close()


def an_order(**changes: Any) -> dict[str, Any]:
    """Return the contract's example request with some members changed; None leaves one out."""
    request = {
        "customer_id": 1,
        "items": [{"product_id": 2, "qty": 3}],
        "idempotency_key": "abc-123",
        "correlation_id": "req-789",
    }
    return {name: value for name, value in (request | changes).items() if value is not None}


def token(role: Role = Role.OPERATOR, lifetime_seconds: int = 86400) -> str:
    return OperatorTokens(JWT).issue("somebody", role, lifetime_seconds)


def http_event(order: Any = None, **changes: Any) -> dict[str, Any]:
    """Return an event of payload format 2.0, by an operator, with some members changed."""
    return {
        "version": "2.0",
        "routeKey": "POST /orchestrator/create-and-confirm-order",
        "rawPath": "/orchestrator/create-and-confirm-order",
        "rawQueryString": "",
        "headers": {"authorization": f"Bearer {token()}", "content-type": "application/json"},
        "requestContext": {"http": {"method": "POST"}, "requestId": "JKJaXmPLvHcESHA="},
        "body": json.dumps(an_order() if order is None else order),
        "isBase64Encoded": False,
        **changes,
    }


def body_of(response: Any) -> Any:
    """Return the JSON in a proxy response."""
    return json.loads(response["body"])
