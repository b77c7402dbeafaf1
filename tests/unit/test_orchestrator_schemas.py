from typing import Any

import pytest

from orchestrator_image.function import SCHEMAS
from service_kit.problems import ValidationFailed
from service_kit.schemas import Schemas

schemas = Schemas(SCHEMAS)

EXAMPLE: dict[str, Any] = {
    "customer_id": 1,
    "items": [{"product_id": 2, "qty": 3}],
    "idempotency_key": "abc-123",
    "correlation_id": "req-789",
}


def checked(**changes: Any) -> Any:
    return schemas.validator("CreateAndConfirmOrder").check(EXAMPLE | changes)


def pointers(value: Any) -> list[str]:
    with pytest.raises(ValidationFailed) as refusal:
        schemas.validator("CreateAndConfirmOrder").check(value)
    return sorted(fact["pointer"] for fact in refusal.value.errors)


@pytest.mark.parametrize("name", sorted(schemas.documents))
def test_every_example_fits_its_schema(name: str) -> None:
    for example in schemas.documents[name].get("examples", []):
        assert schemas.validator(name).check(example) == example


def test_the_contracts_example_is_a_request() -> None:
    assert checked() == EXAMPLE


def test_whole_floats_are_integers() -> None:
    request = checked(customer_id=1.0, items=[{"product_id": 2.0, "qty": 3.0}])

    assert request == EXAMPLE
    assert type(request["items"][0]["qty"]) is int


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"customer_id": True}, "/customer_id"),
        ({"customer_id": 0}, "/customer_id"),
        ({"customer_id": "1"}, "/customer_id"),
        ({"customer_id": 1.5}, "/customer_id"),
        ({"customer_id": None}, "/customer_id"),
        ({"customer_id": float("inf")}, "/customer_id"),
        ({"customer_id": float("nan")}, "/customer_id"),
        ({"items": []}, "/items"),
        ({"items": [{"product_id": 2, "qty": 1}] * 101}, "/items"),
        ({"items": {}}, "/items"),
        ({"items": [1]}, "/items/0"),
        ({"items": [{"product_id": 2}]}, "/items/0/qty"),
        ({"items": [{"product_id": 2, "qty": 0}]}, "/items/0/qty"),
        ({"items": [{"product_id": 2, "qty": 1_000_001}]}, "/items/0/qty"),
        ({"items": [{"product_id": -2, "qty": 1}]}, "/items/0/product_id"),
        ({"items": [{"product_id": 2, "qty": 1, "price": 1}]}, "/items/0/price"),
        ({"idempotency_key": ""}, "/idempotency_key"),
        ({"idempotency_key": "x" * 256}, "/idempotency_key"),
        ({"idempotency_key": 1}, "/idempotency_key"),
        ({"correlation_id": ""}, "/correlation_id"),
        ({"correlation_id": "x" * 129}, "/correlation_id"),
        ({"correlation_id": "a b"}, "/correlation_id"),
        ({"correlation_id": "req-789\n"}, "/correlation_id"),
        ({"correlation_id": None}, "/correlation_id"),
        ({"note": "x"}, "/note"),
    ],
)
def test_a_request_of_another_shape_is_refused_where_it_differs(
    changes: dict[str, Any], pointer: str
) -> None:
    assert pointers(EXAMPLE | changes) == [pointer]


def test_everything_that_does_not_fit_is_told_at_once() -> None:
    request = {"items": [{"product_id": 0}], "idempotency_key": "", "correlation_id": " ", "x": 1}

    assert pointers(request) == [
        "/correlation_id",
        "/customer_id",
        "/idempotency_key",
        "/items/0/product_id",
        "/items/0/qty",
        "/x",
    ]


@pytest.mark.parametrize("value", [None, [], "x", 1, True, 1.5])
def test_what_is_no_object_is_refused(value: Any) -> None:
    assert pointers(value) == [""]


def test_ids_have_no_upper_bound() -> None:
    assert checked(customer_id=10**400)["customer_id"] == 10**400


@pytest.mark.parametrize("key", ["x", " ", "\x00", "\u00e9", "\U0001f600" * 255, "\ud800", "k\n"])
def test_a_key_of_any_characters_is_taken_as_it_is(key: str) -> None:
    assert checked(idempotency_key=key)["idempotency_key"] == key
