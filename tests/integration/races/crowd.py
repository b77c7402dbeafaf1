"""Many callers at once, and how what they were told is counted."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from tests.apis import Answer, Api
from tests.builders import lines
from tests.database_servers import TestDatabase
from tests.integration.order_calls import Customer, Product, cancel, confirm, create

T = TypeVar("T")
Call = Callable[[Api], Awaitable[Answer]]
SECONDS = 60


async def at_once(doors: Sequence[Api], calls: Sequence[Callable[[Api], Awaitable[T]]]) -> list[T]:
    """Make all calls at once, at one door and the other by turns; nobody may hang."""
    async with asyncio.timeout(SECONDS):
        return await asyncio.gather(
            *(call(door) for call, door in zip(calls, itertools.cycle(doors), strict=False))
        )


def statuses(answers: Sequence[Answer]) -> Counter[int]:
    return Counter(answer.status for answer in answers)


def codes(answers: Sequence[Answer]) -> Counter[str]:
    """Return how often each refusal came."""
    return Counter(answer.code for answer in answers if answer.status >= 400)


def creating(customer: Customer, items: list[dict[str, int]], **headers: str) -> Call:
    return lambda door: create(door, customer["id"], items, **headers)


def confirming(order: dict[str, Any]) -> Call:
    return lambda door: confirm(door, order)


def canceling(order: dict[str, Any]) -> Call:
    return lambda door: cancel(door, order)


def shuffled_lines(plan: random.Random, products: list[Product]) -> list[dict[str, int]]:
    """Return one unit of each product, in any order."""
    return lines(*((product, 1) for product in plan.sample(products, len(products))))


def check_items(database: TestDatabase, customer: dict[str, Any]) -> None:
    """Check that every order of a customer has items, and that they add up to its total."""
    wrong = database.query(
        "SELECT orders.id FROM orders LEFT JOIN order_items ON order_id = orders.id"
        " WHERE customer_id = %s GROUP BY orders.id, total_cents"
        " HAVING total_cents <> COALESCE(SUM(subtotal_cents), -1)",
        customer["id"],
    )
    assert wrong == []
