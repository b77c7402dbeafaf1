"""Two requests on one matter: one stopped before each of its statements in turn, while the other
runs as far as it gets.

Whatever the point, the outcome must be one of those that the two could have one after the other.
"""

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import pytest

from tests import books
from tests.apis import Answer, Api
from tests.builders import a_customer, a_product, an_order, lines, unique
from tests.database_servers import TestDatabase
from tests.integration.locks import holding_product
from tests.integration.order_calls import cancel, confirm, create, patch
from tests.integration.order_facts import check_books, orders_of
from tests.integration.races.crowd import SECONDS
from tests.integration.races.stops import StopsAt
from tests.waiting import until

Call = Callable[[Api], Coroutine[Any, Any, Answer]]

STOCK = 5
PRICE = {"price_cents": 7}
LOSS = {"stock_delta": -2}
MOST_STATEMENTS = 40


@dataclass(frozen=True, slots=True)
class Matter:
    """What both requests are about, made anew for each point."""

    orders: Api
    customer: dict[str, Any]
    product: dict[str, Any]
    order: dict[str, Any]
    key: str
    there: set[int]
    """The customer's orders, those of the points before included."""

    def taking(self, qty: int, key: str | None = None) -> Call:
        headers = {"X_Idempotency_Key": key} if key else {}
        items = lines((self.product, qty))
        return lambda door: create(door, self.customer["id"], items, **headers)


def confirming(order: dict[str, Any], key: str | None = None) -> Call:
    return lambda door: confirm(door, order, key)


def canceling(order: dict[str, Any], **headers: str) -> Call:
    return lambda door: cancel(door, order, **headers)


def changing(product: dict[str, Any], change: dict[str, int]) -> Call:
    return lambda door: patch(door, product, change)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two requests, and which statuses, sorted, they may be answered with."""

    calls: Callable[[Matter], tuple[Call, Call]]
    outcomes: set[tuple[int, int]]
    is_one_request: bool = False


# Of the 5 units that a product comes with, an order holds one.
PAIRS = {
    "two orders for the last units": Pair(lambda m: (m.taking(3), m.taking(3)), {(201, 409)}),
    "two orders for all there is": Pair(lambda m: (m.taking(4), m.taking(4)), {(201, 409)}),
    "two orders that both fit": Pair(lambda m: (m.taking(2), m.taking(2)), {(201, 201)}),
    "an order twice": Pair(lambda m: (m.taking(2, m.key),) * 2, {(201, 201)}, is_one_request=True),
    "an order for all there is, twice": Pair(
        lambda m: (m.taking(4, m.key),) * 2, {(201, 201)}, is_one_request=True
    ),
    "two orders under one key": Pair(
        lambda m: (m.taking(1, m.key), m.taking(2, m.key)), {(201, 422)}
    ),
    "a confirmation twice": Pair(
        lambda m: (confirming(m.order, m.key),) * 2, {(200, 200)}, is_one_request=True
    ),
    "two confirmations": Pair(lambda m: (confirming(m.order),) * 2, {(200, 409)}),
    "a confirmation and a cancel": Pair(
        lambda m: (confirming(m.order), canceling(m.order)), {(200, 200), (200, 409)}
    ),
    "a cancel and a confirmation": Pair(
        lambda m: (canceling(m.order), confirming(m.order)), {(200, 200), (200, 409)}
    ),
    "two cancels": Pair(lambda m: (canceling(m.order),) * 2, {(200, 200)}),
    "a cancel twice": Pair(
        lambda m: (canceling(m.order, X_Idempotency_Key=m.key),) * 2,
        {(200, 200)},
        is_one_request=True,
    ),
    "a cancel and an order for all there is then": Pair(
        lambda m: (canceling(m.order), m.taking(5)), {(200, 201), (200, 409)}
    ),
    "an order and a cancel": Pair(lambda m: (m.taking(4), canceling(m.order)), {(200, 201)}),
    "an order and a change of price": Pair(
        lambda m: (m.taking(2), changing(m.product, PRICE)), {(200, 201)}
    ),
    "a change of price and an order": Pair(
        lambda m: (changing(m.product, PRICE), m.taking(2)), {(200, 201)}
    ),
    "an order and a loss of stock": Pair(
        lambda m: (m.taking(3), changing(m.product, LOSS)), {(200, 409), (201, 409)}
    ),
    "a loss of stock and an order": Pair(
        lambda m: (changing(m.product, LOSS), m.taking(3)), {(200, 409), (201, 409)}
    ),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
async def test_every_interleaving_comes_to_what_one_after_the_other_could(
    pair: Pair,
    stop: StopsAt,
    stopped_door: Api,
    orders: Api,
    customers: Api,
    database: TestDatabase,
) -> None:
    customer = await a_customer(customers)
    with holding_product(database, await a_product(orders)) as watcher:
        there: set[int] = set()
        for number in itertools.count():
            product = await a_product(orders, stock=STOCK)
            order = await an_order(orders, customer, (product, 1))
            matter = Matter(orders, customer, product, order, unique("key"), there)
            there.add(order["id"])
            first, second = pair.calls(matter)
            stop.at(number)
            async with asyncio.timeout(SECONDS):
                answers = await interleaved(
                    stop, first(stopped_door), second(orders), watcher.waiting
                )
            if answers is None:
                break
            check(pair, matter, answers, database)
    assert 1 < number < MOST_STATEMENTS


async def interleaved(
    stop: StopsAt,
    first: Coroutine[Any, Any, Answer],
    second: Coroutine[Any, Any, Answer],
    waiting: Callable[[], int],
) -> list[Answer] | None:
    """Run two requests, the first one stopped in between; None if it ends before its stop."""
    one = asyncio.create_task(first)
    await until(lambda: one.done() or stop.is_stopped.is_set(), "stopped, or done")
    if not stop.is_stopped.is_set():
        second.close()
        return None
    two = asyncio.create_task(second)
    await until(lambda: two.done() or waiting() > 0, "done, or waits for the first one")
    stop.may_go_on.set()
    return [await one, await two]


def check(pair: Pair, matter: Matter, answers: list[Answer], database: TestDatabase) -> None:
    """Check that nothing was done twice or half, and that the two were told so."""
    first, second = sorted(answer.status for answer in answers)
    assert (first, second) in pair.outcomes, answers
    if pair.is_one_request:
        assert answers[0].body == answers[1].body
    with database.connect() as connection:
        assert books.mistakes(connection) == []
    changed = [a.json for a in answers if a.status == 200 and "sku" in a.json]
    losses = [product for product in changed if product["price_cents"] != PRICE["price_cents"]]
    check_books(database, matter.product, STOCK + LOSS["stock_delta"] * len(losses))
    taken = {answer.json["id"] for answer in answers if answer.status == 201}
    assert sorted(orders_of(database, matter.customer)) == sorted({*matter.there, *taken})
    matter.there.update(taken)
