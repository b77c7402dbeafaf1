"""When the keys look for a twin's response, and what is told when they cannot."""

from collections.abc import Callable
from typing import Any

import pytest

from orders_api.circuit import CircuitOpen
from orders_api.idempotency import IdempotencyKeys, Recorder, Request, Response
from orders_api.problems import CustomersUnavailable, InsufficientStock
from service_kit.database import NoConnectionFree
from service_kit.database_errors import Duplicate
from service_kit.problems import Busy, Problem

REQUEST = Request(b"key", "order.create", None, {"customer_id": 1})
TWINS_ROWS = [(REQUEST.fingerprint, 201, b"{}", '"1"', "/orders/1", 1)]
NOTHING: list[Any] = []


class Looks:
    """A database that knows what each look at a key comes to: rows, or trouble."""

    def __init__(self, *outcomes: Any) -> None:
        self.left = list(outcomes)

    async def read(self, _work: Callable[..., Any]) -> Any:
        outcome = self.left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


async def answer(refused_with: Exception, looks: Looks) -> Response:
    """Let a request act that is refused; return what it is answered all the same."""

    async def act(_record: Recorder) -> Response:
        raise refused_with

    keys = IdempotencyKeys(looks, 60, lambda: None)  # type: ignore[arg-type]  # stands in
    return await keys.once(REQUEST, act)


@pytest.mark.parametrize(
    "refusal", [InsufficientStock(), CustomersUnavailable(), Busy("The outcome is not known.")]
)
async def test_what_was_refused_gets_its_twins_response_or_its_own_refusal(
    refusal: Problem,
) -> None:
    assert (await answer(refusal, Looks(NOTHING, TWINS_ROWS))).status == 201

    with pytest.raises(type(refusal)) as raised:
        await answer(refusal, Looks(NOTHING, NOTHING))
    assert raised.value is refusal


@pytest.mark.parametrize("refusal", [NoConnectionFree(), CircuitOpen()])
async def test_a_request_for_which_nothing_was_tried_is_looked_for_once(refusal: Problem) -> None:
    looks = Looks(NOTHING)

    with pytest.raises(type(refusal)) as raised:
        await answer(refusal, looks)

    assert raised.value is refusal
    assert looks.left == []


@pytest.mark.parametrize("refusal", [CustomersUnavailable(), Busy("The outcome is not known.")])
async def test_a_refusal_for_now_is_told_as_it_is_when_nobody_can_look_again(
    refusal: Problem,
) -> None:
    with pytest.raises(type(refusal)) as raised:
        await answer(refusal, Looks(NOTHING, NoConnectionFree()))

    assert raised.value is refusal


async def test_a_final_refusal_is_not_told_while_the_twins_order_may_stand() -> None:
    busy = NoConnectionFree()

    with pytest.raises(Busy) as raised:
        await answer(InsufficientStock(), Looks(NOTHING, busy))

    assert raised.value is busy


async def test_another_key_than_its_own_that_is_taken_is_a_defect() -> None:
    own = Duplicate("Duplicate entry 'key' for key 'idempotency_keys.PRIMARY'")
    other = Duplicate("Duplicate entry '1-2' for key 'order_items_order_product'")

    assert (await answer(own, Looks(NOTHING, TWINS_ROWS))).status == 201
    with pytest.raises(Duplicate):
        await answer(other, Looks(NOTHING))
