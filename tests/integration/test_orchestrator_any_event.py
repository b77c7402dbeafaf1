"""The function never fails, whatever comes in."""

import base64
import json
import os
from typing import Any
from unittest import mock

import pytest
from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator_image.events import Unreadable
from orchestrator_image.function import SCHEMAS
from service_kit.schemas import Schemas
from tests.integration.orchestrator_calls import Context, orchestrator, token

failures = Schemas(SCHEMAS).validator("OrchestrationFailed")

# Nobody listens there (RFC 6335: reserved); no event below is to reach it anyway but by chance.
NOWHERE = "http://127.0.0.1:1"

TEXTS = st.text(st.characters(exclude_categories=()), max_size=20)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
NAMES = TEXTS | st.sampled_from(
    ["customer_id", "items", "product_id", "qty", "idempotency_key", "correlation_id", "headers"]
)
JSON_VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
ORDERS = st.fixed_dictionaries(
    {"customer_id": JSON_VALUES, "items": JSON_VALUES, "idempotency_key": TEXTS},
    optional={"correlation_id": JSON_VALUES, "\ud800": JSON_VALUES},
)
HEADERS = st.dictionaries(
    TEXTS | st.sampled_from(["Authorization", "CONTENT-TYPE", "x-correlation-id"]),
    JSON_VALUES | st.sampled_from([f"Bearer {token()}", "application/json", "text/plain"]),
    max_size=4,
)
BODIES = st.one_of(
    JSON_VALUES,
    ORDERS.map(json.dumps),
    ORDERS.map(lambda order: base64.b64encode(json.dumps(order).encode()).decode()),
)
HTTP_EVENTS = st.fixed_dictionaries(
    {"requestContext": JSON_VALUES},
    optional={
        "headers": JSON_VALUES | HEADERS,
        "multiValueHeaders": JSON_VALUES | HEADERS,
        "body": BODIES,
        "isBase64Encoded": SCALARS,
    },
)


def checked(event: Any, answer: Any) -> Any:
    """Return what the runtime makes of an answer, having checked that it is a failure."""
    for runtime in ({}, {"AWS_EXECUTION_ENV": "AWS_Lambda_python3.13"}):
        with mock.patch.dict(os.environ, runtime):
            written, content_type = LambdaMarshaller().marshal_response(answer)
        assert content_type == "application/json"
        sent = json.loads(written.encode("utf-8"))
    if isinstance(event, dict) and "requestContext" in event:
        assert set(sent) == {"statusCode", "headers", "body"}
        assert all(isinstance(value, str) for value in sent["headers"].values())
        assert sent["statusCode"] in range(400, 600)
        sent = json.loads(sent["body"])
    failures.check(sent)
    return sent


def test_any_json_value_is_answered() -> None:
    with orchestrator(NOWHERE) as function:

        @settings(deadline=None, max_examples=400)
        @given(JSON_VALUES | ORDERS | HTTP_EVENTS)
        def answered(event: Any) -> None:
            sent = checked(event, function.invoke(event, Context()))
            assert sent["error"]["code"] != "INTERNAL_ERROR"

        answered()


@pytest.mark.parametrize("depth", [100, 500, 900])
@pytest.mark.parametrize(
    "event",
    [
        lambda deep: deep,
        lambda deep: {"customer_id": deep},
        lambda deep: {"items": [deep]},
        lambda deep: {"requestContext": deep, "headers": deep},
    ],
)
def test_a_deeply_nested_event_is_answered(event: Any, depth: int) -> None:
    deep: Any = []
    for _ in range(depth):
        deep = [deep]

    with orchestrator(NOWHERE) as function:
        checked(event(deep), function.invoke(event(deep), Context()))


def test_an_event_that_the_runtime_cannot_read_is_not_json() -> None:
    with orchestrator(NOWHERE) as function:
        sent = checked(None, function.invoke(Unreadable("It is nested too deep."), Context()))

    assert sent["error"] == {"code": "INVALID_JSON", "message": "It is nested too deep."}


def test_a_name_of_a_megabyte_is_not_repeated() -> None:
    event = {"x" * 5_000_000: 1}

    with orchestrator(NOWHERE) as function:
        sent = checked(event, function.invoke(event, Context()))

    assert len(json.dumps(sent)) < 2000
