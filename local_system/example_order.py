"""The contract's example order, sent through the gateway or straight to an emulator."""

import json
from uuid import uuid4

from local_system.calls import Answer, post_json

_CREATED = 201
_TIMEOUT_SECONDS = 60.0
_FUNCTION_PATH = "/2015-03-31/functions/function/invocations"
_GATEWAY_PATH = "/orchestrator/create-and-confirm-order"


def example() -> dict[str, object]:
    """Return the example under a fresh key, so that it is a new order each time."""
    key = str(uuid4())
    return {
        "customer_id": 1,
        "items": [{"product_id": 2, "qty": 3}],
        "idempotency_key": key,
        "correlation_id": f"example-{key[:8]}",
    }


def through_gateway(gateway_url: str, token: str, body: object) -> Answer:
    """Send an order as an operator does."""
    headers = {"Authorization": f"Bearer {token}"}
    return post_json(gateway_url + _GATEWAY_PATH, body, _TIMEOUT_SECONDS, headers)


def to_emulator(emulator_url: str, event: object) -> Answer:
    """Invoke the function with an event, as whoever may invoke it in AWS does."""
    return post_json(emulator_url + _FUNCTION_PATH, event, _TIMEOUT_SECONDS)


def succeeded(answer: Answer) -> bool:
    """Say whether the order was created and confirmed.

    The emulator answers 200 to whatever the function answers, and to its errors.
    """
    value = answer.json()
    if not isinstance(value, dict):
        return False
    if "statusCode" in value:  # an HTTP event was given: the answer is a proxy response
        return bool(value["statusCode"] == _CREATED)
    return value.get("success") is True


def pretty(answer: Answer) -> str:
    """Return the answer's JSON, indented; what is no JSON as it came."""
    value = answer.json()
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def error_code(answer: Answer) -> str:
    """Return the code of a refusal, or an empty text."""
    value = answer.json()
    error = value.get("error") if isinstance(value, dict) else None
    return str(error.get("code", "")) if isinstance(error, dict) else ""
