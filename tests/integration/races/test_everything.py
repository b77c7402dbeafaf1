"""Everything at once, and connections that are killed meanwhile."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from tests.apis import Answer, Api
from tests.builders import a_customer, a_product, lines, unique
from tests.database_servers import TestDatabase
from tests.integration.locks import holding_product, kill_connections
from tests.integration.order_calls import cancel, confirm, create
from tests.integration.order_facts import check_books, orders_of, stocks
from tests.integration.races.crowd import (
    Call,
    at_once,
    check_items,
    shuffled_lines,
    statuses,
)
from tests.plans import random_plan


async def test_orders_under_keys_are_taken_once_each_however_often_connections_are_killed(
    doors: list[Api], orders: Api, customers: Api, database: TestDatabase
) -> None:
    plan = random_plan()
    customer = await a_customer(customers)
    products = [await a_product(orders, stock=500) for _ in range(3)]
    key = unique("key")

    def until_taken(number: int) -> Call:
        items = shuffled_lines(plan, products)

        async def call(door: Api) -> Answer:
            while True:
                answer = await create(
                    door, customer["id"], items, X_Idempotency_Key=f"{key}-{number}"
                )
                if answer.status != 503:
                    return answer
                assert "Retry-After" in answer.headers

        return call

    async def kill_now_and_then() -> None:
        while True:
            kill_connections(database, at_most=plan.choice((1, 3, 20)))
            await asyncio.sleep(0.02)

    with holding_product(database, plan.choice(products)) as other:
        calls = [until_taken(number) for number in range(80)]
        taking = asyncio.create_task(at_once(doors, calls))
        await other.until_waiting(5)
        killed = kill_connections(database, statement="UPDATE products", at_most=3)
    killing = asyncio.create_task(kill_now_and_then())
    answers = await taking
    killing.cancel()
    await asyncio.gather(killing, return_exceptions=True)

    assert len(killed) == 3
    assert statuses(answers) == {201: 80}
    taken = orders_of(database, customer)
    assert taken == sorted(answer.json["id"] for answer in answers)
    assert len(taken) == 80
    assert stocks(database, products) == [420] * 3
    check_items(database, customer)


async def test_everything_at_once_leaves_the_books_in_order(
    doors: list[Api], orders: Api, customers: Api, database: TestDatabase
) -> None:
    plan = random_plan()
    customer = await a_customer(customers)
    products = [await a_product(orders, stock=30) for _ in range(5)]

    async def a_client(door: Api, steps: random.Random) -> Counter[int]:
        seen: Counter[int] = Counter()
        mine: list[dict[str, Any]] = []
        for _ in range(12):
            key = unique("key")
            chosen = steps.sample(products, steps.randrange(1, 5))
            items = lines(*((product, steps.randrange(1, 4)) for product in chosen))
            repeats = steps.choice((1, 1, 2, 3))
            answers = await asyncio.gather(
                *(
                    create(door, customer["id"], items, X_Idempotency_Key=key)
                    for _ in range(repeats)
                )
            )
            mine += [answers[0].json] if answers[0].status == 201 else []
            steps.shuffle(mine)
            for order in mine[: steps.randrange(3)]:
                step = steps.choice((confirm, cancel, cancel))
                answers += [await step(door, order)]
            seen += statuses(answers)
        return seen

    def another_client(steps: random.Random) -> Callable[[Api], Awaitable[Counter[int]]]:
        return lambda door: a_client(door, steps)

    seen = await at_once(
        doors, [another_client(random.Random(plan.randrange(2**32))) for _ in range(10)]
    )

    total = sum(seen, Counter())
    assert set(total) <= {200, 201, 409}, total
    for product in products:
        check_books(database, product, 30)
    check_items(database, customer)
