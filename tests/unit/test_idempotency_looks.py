"""When the keys look for a twin's response, and what is told when they cannot."""

from collections.abc import Callable
from typing import Any

import pytest

from orders_api.circuit import CircuitOpen
from orders_api.idempotency import Attempt, IdempotencyKeys, Request, Response
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

    async def act(_attempt: Attempt) -> Response:
        raise refused_with

    keys = IdempotencyKeys(looks, 60, lambda: None)  # type: ignore[arg-type]  # stands in
    return await keys.once(REQUEST, act)


@pytest.mark.parametrize(
    "refusal",
    [InsufficientStock(), CustomersUnavailable(), CircuitOpen(), Busy("The outcome is not known.")],
)
async def test_what_was_refused_gets_its_twins_response_or_its_own_refusal(
    refusal: Problem,
) -> None:
    assert (await answer(refusal, Looks(TWINS_ROWS))).status == 201

    with pytest.raises(type(refusal)) as raised:
        await answer(refusal, Looks(NOTHING))
    assert raised.value is refusal


async def test_nobody_looks_where_there_is_no_connection_to_look_with() -> None:
    refusal = NoConnectionFree()

    with pytest.raises(NoConnectionFree) as raised:
        await answer(refusal, Looks())

    assert raised.value is refusal


@pytest.mark.parametrize("refusal", [CustomersUnavailable(), Busy("The outcome is not known.")])
async def test_a_refusal_for_now_is_told_as_it_is_when_nobody_can_look_again(
    refusal: Problem,
) -> None:
    with pytest.raises(type(refusal)) as raised:
        await answer(refusal, Looks(NoConnectionFree()))

    assert raised.value is refusal


async def test_a_final_refusal_is_not_told_while_the_twins_order_may_stand() -> None:
    busy = NoConnectionFree()

    with pytest.raises(Busy) as raised:
        await answer(InsufficientStock(), Looks(busy))

    assert raised.value is busy


async def test_another_key_than_its_own_that_is_taken_is_a_defect() -> None:
    own = Duplicate("Duplicate entry 'key' for key 'idempotency_keys.PRIMARY'")
    other = Duplicate("Duplicate entry '1-2' for key 'order_items_order_product'")

    assert (await answer(own, Looks(TWINS_ROWS))).status == 201
    with pytest.raises(Duplicate):
        await answer(other, Looks(NOTHING))
