"""What a caller with a bare event sees: the consolidated order, or why there is none."""

import json
from typing import Any

import pytest

from orchestrator_image.function import SCHEMAS, Function
from service_kit import correlation
from service_kit.schemas import Schemas
from tests.integration.orchestrator_calls import Context, an_order, orchestrator
from tests.integration.orchestrator_upstreams import (
    Acts,
    BackOffice,
    HangsUp,
    Says,
    back_office,
    problem,
)

schemas = Schemas(SCHEMAS)

CUSTOMER = {"id": 1, "name": "ACME", "email": "ops@acme.com", "phone": None}
ORDER = {
    "id": 101,
    "status": "CONFIRMED",
    "total_cents": 389700,
    "items": [{"product_id": 2, "qty": 3, "unit_price_cents": 129900, "subtotal_cents": 389700}],
}


def failure_of(answer: Any) -> str:
    """Return the code of an answer that says why there is no order."""
    schemas.validator("OrchestrationFailed").check(answer)
    code: str = answer["error"]["code"]
    return code


def test_the_contracts_example_is_answered_as_the_contract_says(function: Function) -> None:
    answer = function.invoke(an_order(), Context())

    assert answer == {
        "success": True,
        "correlationId": "req-789",
        "data": {
            "customer": {
                "id": 1,
                "name": "ACME",
                "email": "ops@acme.com",
                "phone": "+1 555 0100",
            },
            "order": ORDER,
        },
    }
    schemas.validator("OrchestrationSucceeded").check(answer)


def test_the_steps_are_taken_in_order_and_once(services: BackOffice, function: Function) -> None:
    function.invoke(an_order(), Context())

    assert services.steps() == ["customer", "create", "confirm"]
    assert services.calls("create")[0].body == {
        "customer_id": 1,
        "items": [{"product_id": 2, "qty": 3}],
    }
    assert services.calls("confirm")[0].path == "/orders/101/confirm"


def test_both_writes_carry_derived_keys(services: BackOffice, function: Function) -> None:
    function.invoke(an_order(idempotency_key="k\u00e9y\n\ud800"), Context())

    assert services.keys("create")[0].startswith("orchestrator:create:")
    assert services.keys("confirm")[0].startswith("orchestrator:confirm:101:")
    for key in services.keys("create") + services.keys("confirm"):
        assert key.isascii()
        assert len(key) <= 255


def test_a_customer_without_a_phone_is_shown_so(services: BackOffice, function: Function) -> None:
    services.customers[1]["phone"] = None

    assert function.invoke(an_order(), Context())["data"]["customer"] == CUSTOMER


def test_the_correlation_id_is_on_every_call(services: BackOffice, function: Function) -> None:
    function.invoke(an_order(), Context())

    assert {call.headers["x-correlation-id"] for call in services.received} == {"req-789"}


def test_a_call_without_a_correlation_id_gets_one(services: BackOffice, function: Function) -> None:
    one = function.invoke(an_order(correlation_id=None), Context())["correlationId"]
    other = function.invoke(an_order(correlation_id=None), Context())["correlationId"]

    assert one != other
    seen = [call.headers["x-correlation-id"] for call in services.received]
    assert seen == [one] * 3 + [other] * 3


def test_no_correlation_id_outlives_its_invocation(function: Function) -> None:
    function.invoke(an_order(), Context())

    assert correlation.current.get() == ""


def test_a_refused_request_keeps_its_correlation_id_if_that_is_well_formed(
    function: Function,
) -> None:
    answer = function.invoke(an_order(customer_id=0), Context())

    assert failure_of(answer) == "VALIDATION_FAILED"
    assert answer["correlationId"] == "req-789"


def test_a_malformed_correlation_id_is_refused_and_not_repeated(
    services: BackOffice, function: Function
) -> None:
    answer = function.invoke(an_order(correlation_id="not an id"), Context())

    assert failure_of(answer) == "VALIDATION_FAILED"
    assert [fact["pointer"] for fact in answer["error"]["errors"]] == ["/correlation_id"]
    assert answer["correlationId"] != "not an id"
    assert services.received == []


def test_all_that_does_not_fit_the_schema_is_told(function: Function) -> None:
    answer = function.invoke({"customer_id": True, "items": []}, Context())

    assert failure_of(answer) == "VALIDATION_FAILED"
    assert sorted(fact["pointer"] for fact in answer["error"]["errors"]) == [
        "/customer_id",
        "/idempotency_key",
        "/items",
    ]


@pytest.mark.parametrize(
    ("step", "status", "code", "steps"),
    [
        ("customer", 404, "CUSTOMER_NOT_FOUND", ["customer"]),
        ("create", 404, "CUSTOMER_NOT_FOUND", ["customer", "create"]),
        ("create", 404, "PRODUCT_NOT_FOUND", ["customer", "create"]),
        ("create", 409, "INSUFFICIENT_STOCK", ["customer", "create"]),
        ("create", 422, "TOTAL_TOO_LARGE", ["customer", "create"]),
        ("create", 422, "IDEMPOTENCY_KEY_REUSED", ["customer", "create"]),
        ("create", 422, "VALIDATION_FAILED", ["customer", "create"]),
        ("confirm", 409, "ORDER_NOT_CONFIRMABLE", ["customer", "create", "confirm"]),
    ],
)
def test_the_step_that_refuses_is_the_last_and_is_quoted(
    services: BackOffice,
    function: Function,
    step: str,
    status: int,
    code: str,
    steps: list[str],
) -> None:
    services.plan(step, problem(status, code, errors=[{"product_id": 2}]))

    answer = function.invoke(an_order(), Context())

    assert answer == {
        "success": False,
        "correlationId": "req-789",
        "error": {"code": code, "message": f"It is {code}.", "errors": [{"product_id": 2}]},
    }
    assert failure_of(answer) == code
    assert services.steps() == steps


def test_a_refusal_without_facts_has_none(services: BackOffice, function: Function) -> None:
    services.plan("create", problem(422, "TOTAL_TOO_LARGE"))

    assert "errors" not in function.invoke(an_order(), Context())["error"]


@pytest.mark.parametrize("step", ["customer", "create", "confirm"])
@pytest.mark.parametrize("status", [401, 403])
def test_a_service_that_does_not_know_us_is_unavailable_to_the_caller(
    services: BackOffice, function: Function, step: str, status: int
) -> None:
    services.plan(step, problem(status, "UNAUTHORIZED"))

    assert failure_of(function.invoke(an_order(), Context())) == "UPSTREAM_UNAVAILABLE"
    assert services.steps().count(step) == 1
    assert services.calls("cancel") == []


@pytest.mark.parametrize("step", ["customer", "create", "confirm"])
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (problem(503, "BUSY"), "BUSY"),
        (problem(503, "CUSTOMERS_UNAVAILABLE"), "CUSTOMERS_UNAVAILABLE"),
        (problem(503, "SOMETHING_NEW"), "UPSTREAM_UNAVAILABLE"),
        (problem(500, "INTERNAL_ERROR"), "UPSTREAM_UNAVAILABLE"),
        (Says(502, raw=b"<html>", media_type="text/html"), "UPSTREAM_UNAVAILABLE"),
        (problem(408, "REQUEST_TIMEOUT"), "UPSTREAM_UNAVAILABLE"),
        (problem(429, "RATE_LIMITED"), "UPSTREAM_UNAVAILABLE"),
    ],
)
def test_a_service_that_cannot_now_is_asked_again_and_then_given_up(
    services: BackOffice, function: Function, step: str, answer: Says, code: str
) -> None:
    services.plan(step, *[answer] * 4)

    assert failure_of(function.invoke(an_order(), Context())) == code
    assert services.steps().count(step) == 4
    assert services.calls("cancel") == []


@pytest.mark.parametrize("step", ["customer", "create", "confirm"])
def test_a_service_that_hangs_up_is_asked_again_and_then_given_up(
    services: BackOffice, function: Function, step: str
) -> None:
    # The HTTP client by itself repeats a GET once.
    attempts = 8 if step == "customer" else 4
    services.plan(step, *[HangsUp()] * attempts)

    assert failure_of(function.invoke(an_order(), Context())) == "UPSTREAM_UNAVAILABLE"
    assert services.steps().count(step) == attempts
    assert services.calls("cancel") == []


NONSENSE = [
    Says(200, raw=b"<html>", media_type="text/html"),
    Says(200, raw=b"{", media_type="application/json"),
    Says(200, []),
    Says(200, None),
    Says(200, "101"),
    Says(200, {}),
    Says(200, {"id": True}),
    Says(200, {"id": 0}),
    Says(200, {"id": "101"}),
    Says(204, raw=b""),
    Says(302, {}, headers={"Location": "/elsewhere"}),
]


@pytest.mark.parametrize("step", ["customer", "create", "confirm"])
@pytest.mark.parametrize("answer", NONSENSE)
def test_an_answer_without_what_is_needed_is_none(
    services: BackOffice, function: Function, step: str, answer: Says
) -> None:
    services.plan(step, *[answer] * 4)

    assert failure_of(function.invoke(an_order(), Context())) == "UPSTREAM_UNAVAILABLE"
    assert services.calls("cancel") == []


@pytest.mark.parametrize(
    "changes",
    [
        {"id": 7},
        {"name": None},
        {"name": "x" * 201},
        {"phone": 5},
        {"email": ["ops@acme.com"]},
    ],
)
def test_a_customer_of_another_shape_is_nonsense(
    services: BackOffice, function: Function, changes: dict[str, Any]
) -> None:
    services.plan("customer", Says(200, CUSTOMER | changes))

    assert failure_of(function.invoke(an_order(), Context())) == "UPSTREAM_UNAVAILABLE"


@pytest.mark.parametrize(
    "changes",
    [
        {"id": 7},
        {"status": "CREATED"},
        {"total_cents": "389700"},
        {"items": []},
        {"items": None},
        {"items": [1]},
        {"items": [{"product_id": 2}]},
    ],
)
def test_a_confirmation_of_another_shape_is_nonsense_and_cancels_nothing(
    services: BackOffice, function: Function, changes: dict[str, Any]
) -> None:
    services.plan("confirm", Says(200, ORDER | changes))

    assert failure_of(function.invoke(an_order(), Context())) == "UPSTREAM_UNAVAILABLE"
    assert services.calls("cancel") == []


@pytest.mark.parametrize("body", [{"error": "no route"}, {"code": "NOT_FOUND"}])
def test_the_404_of_a_wrong_base_url_is_not_a_customer_that_does_not_exist(
    services: BackOffice, function: Function, body: Any
) -> None:
    services.plan("customer", Says(404, body))

    assert failure_of(function.invoke(an_order(), Context())) == "UPSTREAM_UNAVAILABLE"


def test_a_wrong_base_url_is_an_unavailable_service(services: BackOffice) -> None:
    with orchestrator(services.base_url, orders_base_url=services.base_url + "/api") as function:
        assert failure_of(function.invoke(an_order(), Context())) == "UPSTREAM_UNAVAILABLE"


def test_a_service_that_is_not_there_is_unavailable() -> None:
    with back_office() as gone:
        base_url = gone.base_url
    with orchestrator(base_url) as function:
        assert failure_of(function.invoke(an_order(), Context())) == "UPSTREAM_UNAVAILABLE"


def test_ids_beyond_all_rows_are_ids_of_no_row(services: BackOffice, function: Function) -> None:
    for customer_id in (2**63, 2**64, 10**4000, 1e300):
        answer = function.invoke(an_order(customer_id=customer_id), Context())
        assert failure_of(answer) == "CUSTOMER_NOT_FOUND"

    items = [{"product_id": 10**4000, "qty": 1}]
    services.plan("create", problem(404, "PRODUCT_NOT_FOUND"))
    assert failure_of(function.invoke(an_order(items=items), Context())) == "PRODUCT_NOT_FOUND"


def test_a_deeply_nested_refusal_is_answered(services: BackOffice, function: Function) -> None:
    deep = b"[" * 900 + b"]" * 900
    body = b'{"code": "INSUFFICIENT_STOCK", "detail": "x", "errors": [{"deep": ' + deep + b"}]}"
    services.plan("create", Says(409, raw=body))

    assert failure_of(function.invoke(an_order(), Context())) == "INSUFFICIENT_STOCK"


def test_a_hundred_items_are_ordered(services: BackOffice, function: Function) -> None:
    items = [{"product_id": number, "qty": 1_000_000} for number in range(1, 101)]

    answer = function.invoke(an_order(items=items), Context())

    assert len(answer["data"]["order"]["items"]) == 100


def test_invocations_share_one_connection(services: BackOffice, function: Function) -> None:
    for number in range(3):
        assert function.invoke(an_order(idempotency_key=str(number)), Context())["success"]

    assert len({call.connection for call in services.received}) == 1


def test_a_connection_closed_between_two_invocations_does_no_harm(
    services: BackOffice, function: Function
) -> None:
    services.plan("confirm", Acts(hangs_up_after=True))
    assert function.invoke(an_order(idempotency_key="one"), Context())["success"]

    assert function.invoke(an_order(idempotency_key="two"), Context())["success"]

    assert services.statuses() == ["CONFIRMED", "CONFIRMED"]
    assert len({call.connection for call in services.received}) == 2


def test_an_order_over_a_new_connection_is_still_known_to_be_this_calls_own(
    services: BackOffice,
) -> None:
    with (
        back_office() as orders,
        orchestrator(services.base_url, orders_base_url=orders.base_url) as function,
    ):
        orders.plan("confirm", Acts(hangs_up_after=True), problem(422, "IDEMPOTENCY_KEY_REUSED"))
        assert function.invoke(an_order(idempotency_key="one"), Context())["success"]

        function.invoke(an_order(idempotency_key="two"), Context())

        assert orders.statuses() == ["CONFIRMED", "CANCELED"]


def test_a_defect_of_ours_is_answered_and_the_next_call_is_served(
    services: BackOffice, function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError("secret details")

    with monkeypatch.context() as patched:
        patched.setattr(function, "_workflow", fail)
        answer = function.invoke(an_order(), Context())

    assert failure_of(answer) == "INTERNAL_ERROR"
    assert "secret details" not in json.dumps(answer)
    assert function.invoke(an_order(), Context())["success"]
