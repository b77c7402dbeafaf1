"""What is repeated, what is undone, and when the answer comes."""

import math
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from orchestrator_image.function import Function
from tests.integration.orchestrator_calls import (
    IMPATIENT,
    QUICK_TO_REPEAT,
    Context,
    an_order,
    orchestrator,
)
from tests.integration.orchestrator_upstreams import (
    Acts,
    BackOffice,
    HangsUp,
    Plan,
    Says,
    StaysSilent,
    problem,
)

LOSES_REPLY = Acts(loses_reply=True)
ACTS_IN_SILENCE = Acts(stays_silent=True)


@pytest.fixture
def impatient(services: BackOffice) -> Iterator[Function]:
    with orchestrator(services.base_url, IMPATIENT) as function:
        yield function


def code_of(answer: Any) -> str:
    code: str = answer["error"]["code"]
    return code


# One order under one key, whatever happens on the way.


def test_the_same_key_gives_the_same_order_again(services: BackOffice, function: Function) -> None:
    first = function.invoke(an_order(), Context())
    again = function.invoke(an_order(), Context())

    assert again == first
    assert services.statuses() == ["CONFIRMED"]


def test_another_key_gives_another_order(services: BackOffice, function: Function) -> None:
    function.invoke(an_order(idempotency_key="one"), Context())
    function.invoke(an_order(idempotency_key="two"), Context())

    assert services.statuses() == ["CONFIRMED", "CONFIRMED"]


@pytest.mark.parametrize("step", ["create", "confirm"])
def test_a_lost_reply_is_asked_for_again_under_the_same_key(
    services: BackOffice, function: Function, step: str
) -> None:
    services.plan(step, LOSES_REPLY)

    answer = function.invoke(an_order(), Context())

    assert answer["data"]["order"]["status"] == "CONFIRMED"
    assert services.statuses() == ["CONFIRMED"]
    assert len(services.calls(step)) == 2
    assert len(set(services.keys(step))) == 1


@pytest.mark.parametrize("step", ["customer", "create", "confirm"])
@pytest.mark.parametrize(
    "trouble", [problem(503, "BUSY"), Says(502, raw=b"", media_type="text/html"), HangsUp()]
)
def test_a_passing_trouble_is_not_seen_by_the_caller(
    services: BackOffice, function: Function, step: str, trouble: Plan
) -> None:
    services.plan(step, trouble, trouble)

    assert function.invoke(an_order(), Context())["success"]
    assert services.statuses() == ["CONFIRMED"]


@pytest.mark.parametrize("step", ["create", "confirm"])
@pytest.mark.parametrize("trouble", [LOSES_REPLY, HangsUp(), problem(500, "INTERNAL_ERROR")])
def test_what_was_left_unfinished_is_finished_by_the_next_call_under_the_key(
    services: BackOffice, function: Function, step: str, trouble: Plan
) -> None:
    services.plan(step, *[trouble] * 4)
    assert code_of(function.invoke(an_order(), Context())) == "UPSTREAM_UNAVAILABLE"

    answer = function.invoke(an_order(), Context())

    assert answer["data"]["order"]["status"] == "CONFIRMED"
    assert services.statuses() == ["CONFIRMED"]
    assert len(set(services.keys(step))) == 1


@pytest.mark.parametrize("step", ["create", "confirm"])
def test_what_timed_out_is_finished_by_the_next_call_under_the_key(
    services: BackOffice, impatient: Function, step: str
) -> None:
    services.plan(step, *[ACTS_IN_SILENCE] * 4)
    assert code_of(impatient.invoke(an_order(), Context())) == "UPSTREAM_TIMEOUT"

    assert impatient.invoke(an_order(), Context())["success"]
    assert services.statuses() == ["CONFIRMED"]


def test_an_order_canceled_meanwhile_is_not_confirmable(
    services: BackOffice, function: Function
) -> None:
    services.plan("confirm", *[HangsUp()] * 4)
    function.invoke(an_order(), Context())
    services.orders[101]["status"] = "CANCELED"

    assert code_of(function.invoke(an_order(), Context())) == "ORDER_NOT_CONFIRMABLE"


def test_a_customer_deleted_meanwhile_is_told_and_the_order_stands(
    services: BackOffice, function: Function
) -> None:
    function.invoke(an_order(), Context())
    services.customers.clear()

    assert code_of(function.invoke(an_order(), Context())) == "CUSTOMER_NOT_FOUND"
    assert services.statuses() == ["CONFIRMED"]


# What a refused confirmation cancels.


@pytest.mark.parametrize(
    ("status", "code"),
    [(422, "IDEMPOTENCY_KEY_REUSED"), (404, "ORDER_NOT_FOUND"), (409, "SOMETHING_NEW")],
)
def test_an_order_whose_confirmation_is_refused_for_good_is_canceled(
    services: BackOffice, function: Function, status: int, code: str
) -> None:
    services.plan("confirm", problem(status, code))

    assert code_of(function.invoke(an_order(), Context())) == code
    assert services.steps() == ["customer", "create", "confirm", "cancel"]
    assert services.statuses() == ["CANCELED"]


def test_the_cancel_is_part_of_the_same_story(services: BackOffice, function: Function) -> None:
    services.plan("confirm", problem(422, "IDEMPOTENCY_KEY_REUSED"))

    function.invoke(an_order(), Context())

    assert services.calls("cancel")[0].path == "/orders/101/cancel"
    assert services.calls("cancel")[0].headers["x-correlation-id"] == "req-789"


def test_an_order_that_somebody_else_confirmed_or_canceled_is_left_alone(
    services: BackOffice, function: Function
) -> None:
    services.plan("confirm", problem(409, "ORDER_NOT_CONFIRMABLE"))

    assert code_of(function.invoke(an_order(), Context())) == "ORDER_NOT_CONFIRMABLE"
    assert services.calls("cancel") == []


def test_an_order_of_an_earlier_call_is_left_alone(
    services: BackOffice, function: Function
) -> None:
    services.plan("confirm", *[HangsUp()] * 4, problem(422, "IDEMPOTENCY_KEY_REUSED"))
    function.invoke(an_order(), Context())

    assert code_of(function.invoke(an_order(), Context())) == "IDEMPOTENCY_KEY_REUSED"
    assert services.calls("cancel") == []
    assert services.statuses() == ["CREATED"]


@pytest.mark.parametrize("trouble", [LOSES_REPLY, HangsUp(), problem(503, "BUSY")])
def test_an_order_of_a_repeated_creation_is_left_alone(
    services: BackOffice, function: Function, trouble: Plan
) -> None:
    services.plan("create", trouble)
    services.plan("confirm", problem(422, "IDEMPOTENCY_KEY_REUSED"))

    assert code_of(function.invoke(an_order(), Context())) == "IDEMPOTENCY_KEY_REUSED"
    assert services.calls("cancel") == []


def test_a_confirmation_that_timed_out_cancels_nothing(
    services: BackOffice, impatient: Function
) -> None:
    services.plan("confirm", *[StaysSilent()] * 4)

    assert code_of(impatient.invoke(an_order(), Context())) == "UPSTREAM_TIMEOUT"
    assert services.calls("cancel") == []


def test_a_cancel_that_is_lost_is_repeated(services: BackOffice, function: Function) -> None:
    services.plan("confirm", problem(422, "IDEMPOTENCY_KEY_REUSED"))
    services.plan("cancel", HangsUp())

    function.invoke(an_order(), Context())

    assert services.statuses() == ["CANCELED"]


@pytest.mark.parametrize(
    "failure",
    [[problem(409, "CANCEL_WINDOW_CLOSED")], [problem(403, "FORBIDDEN")], [HangsUp()] * 4],
)
def test_a_cancel_that_fails_is_logged_and_changes_no_answer(
    services: BackOffice, function: Function, failure: list[Plan]
) -> None:
    services.plan("confirm", problem(422, "IDEMPOTENCY_KEY_REUSED"))
    services.plan("cancel", *failure)

    with capture_logs() as lines:
        answer = function.invoke(an_order(), Context())

    assert code_of(answer) == "IDEMPOTENCY_KEY_REUSED"
    assert [line["order_id"] for line in lines if line["event"] == "order not canceled"] == [101]


# The time that an invocation has.


@pytest.mark.parametrize("step", ["customer", "create", "confirm"])
def test_an_answer_is_given_before_the_functions_own_timeout(
    services: BackOffice, function: Function, step: str
) -> None:
    services.plan(step, *[StaysSilent()] * 4)
    context = Context(seconds=1.5)

    assert code_of(function.invoke(an_order(), context)) == "UPSTREAM_TIMEOUT"
    assert context.get_remaining_time_in_millis() > 0


def test_an_answer_is_not_late_by_the_rounding_of_a_long_timeout(
    services: BackOffice, function: Function
) -> None:
    # The HTTP client would round more than 5 s up to the next whole second of its clock.
    services.plan("confirm", StaysSilent())
    now = time.monotonic()
    just_past_a_whole_second = math.ceil(now) - now + 5.2
    context = Context(just_past_a_whole_second + QUICK_TO_REPEAT.reserve)

    assert code_of(function.invoke(an_order(), context)) == "UPSTREAM_TIMEOUT"
    assert context.get_remaining_time_in_millis() > 0


@pytest.mark.parametrize(("step", "left"), [("customer", 1.5), ("create", 0.9)])
def test_a_step_without_end_leaves_the_steps_after_it_their_share(
    services: BackOffice, function: Function, step: str, left: float
) -> None:
    services.plan(step, StaysSilent())
    context = Context(seconds=2.0 + QUICK_TO_REPEAT.reserve)

    assert code_of(function.invoke(an_order(), context)) == "UPSTREAM_TIMEOUT"
    assert context.get_remaining_time_in_millis() > left * 1000


def test_no_time_left_is_a_timeout_without_any_call(
    services: BackOffice, function: Function
) -> None:
    assert code_of(function.invoke(an_order(), Context(seconds=0.5))) == "UPSTREAM_TIMEOUT"
    assert services.received == []


@pytest.mark.parametrize("context", [None, object()])
def test_a_runtime_that_does_not_tell_the_time_is_served(
    function: Function, context: object
) -> None:
    assert function.invoke(an_order(), context)["success"]


def test_repeats_end_with_the_time_that_is_left(services: BackOffice) -> None:
    patience = replace(
        IMPATIENT, backoff=replace(IMPATIENT.backoff, attempts=1_000_000), reserve=0.2
    )
    services.plan("create", *[HangsUp()] * 100_000)
    context = Context(seconds=0.7)
    started = time.monotonic()

    with orchestrator(services.base_url, patience) as function:
        # The end of the time may come during an attempt or between two.
        code = code_of(function.invoke(an_order(), context))

    assert code in {"UPSTREAM_UNAVAILABLE", "UPSTREAM_TIMEOUT"}
    assert time.monotonic() - started < 0.7
    assert len(services.calls("create")) > 4


# What stands in the log.


def test_an_invocation_leaves_one_line_with_its_outcome(
    services: BackOffice, function: Function
) -> None:
    services.plan("create", problem(409, "INSUFFICIENT_STOCK"))

    with capture_logs() as lines:
        function.invoke(an_order(idempotency_key="refused"), Context())
        function.invoke(an_order(), Context())

    outcomes = [
        (line["outcome"], line["status"], line["code"], line["cold"])
        for line in lines
        if line["event"] == "invocation"
    ]
    assert outcomes == [
        ("failed", 409, "INSUFFICIENT_STOCK", True),
        ("confirmed", 201, None, False),
    ]
    assert all(line["duration_ms"] >= 0 for line in lines if line["event"] == "invocation")


def test_a_service_that_does_not_know_us_is_an_error_in_the_log(
    services: BackOffice, function: Function
) -> None:
    services.plan("create", problem(401, "UNAUTHORIZED"))

    with capture_logs() as lines:
        function.invoke(an_order(), Context())

    errors = [line for line in lines if line["log_level"] == "error"]
    assert [(line["upstream_status"], line["upstream"]) for line in errors] == [
        (401, "The Orders API")
    ]
