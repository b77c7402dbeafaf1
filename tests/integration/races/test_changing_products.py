"""Products whose stock and price change while they are sold."""

import asyncio
import itertools
from collections import Counter

from tests.apis import Api
from tests.builders import a_customer, a_product, an_order, lines
from tests.database_servers import TestDatabase
from tests.integration.order_calls import Product, patch
from tests.integration.order_facts import check_books, stocks
from tests.integration.races.crowd import (
    Call,
    at_once,
    canceling,
    check_items,
    codes,
    creating,
    shuffled_lines,
    statuses,
)
from tests.plans import random_plan


async def test_stock_that_is_changed_while_orders_are_taken_and_canceled_adds_up(
    doors: list[Api], orders: Api, customers: Api, database: TestDatabase
) -> None:
    plan = random_plan()
    customer = await a_customer(customers)
    products = [await a_product(orders, stock=40) for _ in range(2)]
    old = await asyncio.gather(
        *(an_order(orders, customer, (product, 2)) for product in products * 5)
    )

    def changing(product: Product, delta: int) -> Call:
        return lambda door: patch(door, product, {"stock_delta": delta})

    changes = [(plan.choice(products), plan.choice((-2, -1, 1, 3))) for _ in range(40)]
    attempts: list[tuple[Call, tuple[Product, int] | None]] = [
        *((changing(*change), change) for change in changes),
        *((canceling(order), None) for order in old),
        *((creating(customer, shuffled_lines(plan, products)), None) for _ in range(50)),
    ]
    plan.shuffle(attempts)
    answers = await at_once(doors, [call for call, _ in attempts])

    assert set(statuses(answers)) <= {200, 201, 409}
    assert set(codes(answers)) <= {"INSUFFICIENT_STOCK"}
    for product in products:
        given = sum(
            change[1]
            for (_, change), answer in zip(attempts, answers, strict=True)
            if change is not None and change[0] is product and answer.status == 200
        )
        check_books(database, product, 40 + given)
    check_items(database, customer)


async def test_orders_raced_by_a_change_of_price_have_one_price_or_the_other_and_add_up(
    doors: list[Api], orders: Api, customers: Api, database: TestDatabase
) -> None:
    plan = random_plan()
    customer = await a_customer(customers)
    products = [await a_product(orders, stock=1000, price_cents=100) for _ in range(2)]
    taken = asyncio.Event()

    async def flip_prices() -> set[int]:
        outcomes = set()
        for price in itertools.cycle((250, 100)):
            for product in products:
                change = await patch(plan.choice(doors), product, {"price_cents": price})
                outcomes.add(change.status)
            if taken.is_set():
                return outcomes
        raise AssertionError

    flipping = asyncio.create_task(flip_prices())
    answers = await at_once(
        doors, [creating(customer, shuffled_lines(plan, products)) for _ in range(60)]
    )
    taken.set()

    assert await flipping == {200}
    assert statuses(answers) == {201: 60}
    for answer in answers:
        prices = [item["unit_price_cents"] for item in answer.json["items"]]
        assert set(prices) <= {100, 250}
        assert answer.json["total_cents"] == sum(prices)
    check_items(database, customer)
    assert stocks(database, products) == [940, 940]


async def test_an_order_sees_a_product_as_it_is_before_or_after_a_change_of_price_and_stock(
    doors: list[Api], orders: Api, customers: Api, database: TestDatabase
) -> None:
    # The last units are sold at the old price, those that come with the new price at the new one.
    customer = await a_customer(customers)
    product = await a_product(orders, stock=5, price_cents=100)

    answers = await at_once(
        doors,
        [
            *[creating(customer, lines((product, 1)))] * 20,
            lambda door: patch(door, product, {"price_cents": 250, "stock_delta": 7}),
            *[creating(customer, lines((product, 1)))] * 20,
        ],
    )

    taken = [answer.json["items"][0] for answer in answers if answer.status == 201]
    prices = Counter(item["unit_price_cents"] for item in taken)
    assert set(prices) <= {100, 250}
    assert prices[100] <= 5
    check_books(database, product, 12)
