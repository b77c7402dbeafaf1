import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_image import rules
from service_kit import jsons
from service_kit.problems import Busy, UpstreamTimeout, UpstreamUnavailable, ValidationFailed
from service_kit.upstream import Reply, UpstreamProblem

ANY_TEXT = st.text(st.characters(exclude_categories=()), min_size=1, max_size=255)


def a_reply(status: int, body: Any = None, **changes: Any) -> Reply:
    return dataclasses.replace(Reply(status, {}, body, attempts=1), **changes)


def a_refusal(status: int, code: str, **more: Any) -> Reply:
    return a_reply(status, {"code": code, "detail": "It is so.", **more})


@given(ANY_TEXT)
def test_derived_keys_are_keys_that_the_orders_api_takes(key: str) -> None:
    for derived in (rules.create_key(key), rules.confirm_key(key, rules.LARGEST_ID)):
        assert 1 <= len(derived) <= 255
        assert derived.isascii()
        assert derived.isprintable()


@given(ANY_TEXT, ANY_TEXT)
def test_derived_keys_are_equal_only_for_the_same_key(one: str, other: str) -> None:
    assert (rules.create_key(one) == rules.create_key(other)) == (one == other)


def test_a_key_is_taken_as_it_is() -> None:
    keys = ["key", " key", "key ", "KEY", "k\u00e9y", "ke\u0301y", "\ud800", "\udc00", "\x00"]

    assert len({rules.create_key(key) for key in keys}) == len(keys)


def test_the_confirmation_has_a_key_of_its_own_for_each_order() -> None:
    derived = [rules.create_key("k"), rules.confirm_key("k", 1), rules.confirm_key("k", 2)]

    assert len(set(derived)) == 3


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, "CUSTOMER_NOT_FOUND"),
        (404, "PRODUCT_NOT_FOUND"),
        (404, "ORDER_NOT_FOUND"),
        (409, "INSUFFICIENT_STOCK"),
        (409, "ORDER_NOT_CONFIRMABLE"),
        (422, "TOTAL_TOO_LARGE"),
        (422, "IDEMPOTENCY_KEY_REUSED"),
        (422, "VALIDATION_FAILED"),
        (409, "SOMETHING_NEW"),
    ],
)
def test_a_refusal_about_the_order_passes_as_it_is(status: int, code: str) -> None:
    facts = [{"product_id": 2, "requested": 3, "available": 1}]

    problem = rules.refusal("The Orders API", a_refusal(status, code, errors=facts))

    assert (problem.status, problem.code, problem.detail) == (status, code, "It is so.")
    assert problem.errors == facts


@pytest.mark.parametrize(
    "reply",
    [
        a_refusal(401, "UNAUTHORIZED"),
        a_refusal(403, "FORBIDDEN"),
        a_refusal(403, "CUSTOMER_NOT_FOUND"),
        a_refusal(404, "NOT_FOUND"),
        a_refusal(405, "METHOD_NOT_ALLOWED"),
        a_refusal(400, "IDEMPOTENCY_KEY_INVALID"),
        a_refusal(404, "not a code"),
        a_reply(404, {"message": "no route"}),
        a_reply(404, {"code": 404}),
        a_reply(404, ["CUSTOMER_NOT_FOUND"]),
        a_reply(404, "CUSTOMER_NOT_FOUND"),
    ],
)
def test_a_refusal_of_our_call_is_an_unavailable_service(reply: Reply) -> None:
    problem = rules.refusal("The Orders API", reply)

    assert (problem.status, problem.code) == (503, "UPSTREAM_UNAVAILABLE")
    assert problem.headers["Retry-After"]


@pytest.mark.parametrize(
    "errors",
    [
        None,
        "text",
        ["text"],
        [{"pointer": "/" * rules.MOST_ERROR_BYTES}],
        [{"pointer": []}],
        [{"pointer": "/items"}, {"pointer": {}}],
    ],
)
def test_facts_that_are_none_are_left_out(errors: Any) -> None:
    problem = rules.refusal("The Orders API", a_refusal(409, "INSUFFICIENT_STOCK", errors=errors))

    assert problem.code == "INSUFFICIENT_STOCK"
    assert problem.errors == []


def test_a_refusal_may_leave_out_its_sentence() -> None:
    problem = rules.refusal("The Orders API", a_reply(409, {"code": "INSUFFICIENT_STOCK"}))

    assert problem.detail


@pytest.mark.parametrize(
    ("outage", "status", "code"),
    [
        (UpstreamTimeout(), 504, "UPSTREAM_TIMEOUT"),
        (UpstreamUnavailable(), 503, "UPSTREAM_UNAVAILABLE"),
        (UpstreamProblem(503, {"code": "BUSY"}), 503, "BUSY"),
        (UpstreamProblem(503, {"code": "CUSTOMERS_UNAVAILABLE"}), 503, "CUSTOMERS_UNAVAILABLE"),
        (UpstreamProblem(503, {"code": "SOMETHING_NEW"}), 503, "UPSTREAM_UNAVAILABLE"),
        (UpstreamProblem(503, None), 503, "UPSTREAM_UNAVAILABLE"),
        (UpstreamProblem(500, {"code": "BUSY"}), 503, "UPSTREAM_UNAVAILABLE"),
        (UpstreamProblem(502, None), 503, "UPSTREAM_UNAVAILABLE"),
        (UpstreamProblem(504, {"code": "UPSTREAM_TIMEOUT"}), 503, "UPSTREAM_UNAVAILABLE"),
        (UpstreamProblem(429, {"code": "RATE_LIMITED"}), 503, "UPSTREAM_UNAVAILABLE"),
    ],
)
def test_an_outage_is_told_with_its_code_and_a_time_to_come_back(
    outage: Busy, status: int, code: str
) -> None:
    problem = rules.outage("The Orders API", outage)

    assert (problem.status, problem.code) == (status, code)
    assert problem.headers["Retry-After"]
    assert problem.detail.startswith("The Orders API")


def test_an_order_is_this_calls_own_when_its_first_attempt_made_it() -> None:
    assert rules.was_created_by(a_reply(201))


def test_an_order_that_is_replayed_is_not_this_calls_own() -> None:
    assert not rules.was_created_by(a_reply(201, headers={"Idempotent-Replayed": "true"}))


def test_an_order_of_a_repeated_attempt_is_not_this_calls_own() -> None:
    assert not rules.was_created_by(a_reply(201, attempts=2))


@pytest.mark.parametrize(
    "reply",
    [
        a_refusal(404, "ORDER_NOT_FOUND"),
        a_refusal(409, "SOMETHING_NEW"),
        a_refusal(422, "IDEMPOTENCY_KEY_REUSED"),
        a_refusal(400, "IDEMPOTENCY_KEY_INVALID"),
    ],
)
def test_a_definite_refusal_of_the_confirmation_cancels(reply: Reply) -> None:
    assert rules.cancels(reply)


@pytest.mark.parametrize(
    "reply",
    [
        a_reply(200, {"code": "IDEMPOTENCY_KEY_REUSED"}),
        a_refusal(409, "ORDER_NOT_CONFIRMABLE"),
        a_refusal(401, "UNAUTHORIZED"),
        a_refusal(403, "FORBIDDEN"),
        a_refusal(408, "REQUEST_TIMEOUT"),
        a_refusal(429, "RATE_LIMITED"),
    ],
)
def test_any_other_answer_to_the_confirmation_cancels_nothing(reply: Reply) -> None:
    assert not rules.cancels(reply)


def test_an_id_that_no_row_can_have_becomes_one_that_can_be_asked_for() -> None:
    assert rules.row_id(7) == 7
    assert rules.row_id(10**4000) == rules.LARGEST_ID


def test_what_a_failure_repeats_of_the_request_can_be_written() -> None:
    problem = ValidationFailed(errors=[{"pointer": "/\ud800", "detail": "is not known here"}])

    document = rules.failure_document(problem, "req-789")

    assert jsons.decode(jsons.encode(document)) == {
        "success": False,
        "correlationId": "req-789",
        "error": {
            "code": "VALIDATION_FAILED",
            "message": "The request does not fit its schema.",
            "errors": [{"pointer": "/\\ud800", "detail": "is not known here"}],
        },
    }
