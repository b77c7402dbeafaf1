"""The last units: nobody is sold what somebody else has."""

from tests.apis import Api
from tests.builders import a_customer, a_product, lines
from tests.database_servers import TestDatabase
from tests.integration.order_facts import check_books, orders_of, stocks
from tests.integration.races.crowd import (
    at_once,
    check_items,
    codes,
    creating,
    shuffled_lines,
    statuses,
)
from tests.plans import random_plan


async def test_60_buyers_of_10_units_get_exactly_10(
    doors: list[Api], orders: Api, customers: Api, database: TestDatabase
) -> None:
    customer, product = await a_customer(customers), await a_product(orders, stock=10)

    answers = await at_once(doors, [creating(customer, lines((product, 1)))] * 60)

    assert statuses(answers) == {201: 10, 409: 50}
    assert codes(answers) == {"INSUFFICIENT_STOCK": 50}
    assert stocks(database, [product]) == [0]
    assert len(orders_of(database, customer)) == 10


async def test_buyers_of_several_products_that_run_out_take_all_or_nothing(
    doors: list[Api], orders: Api, customers: Api, database: TestDatabase
) -> None:
    plan = random_plan()
    customer = await a_customer(customers)
    products = [await a_product(orders, stock=plan.randrange(10, 20)) for _ in range(3)]
    stock_before = stocks(database, products)
    calls = []
    for _ in range(60):
        chosen = plan.sample(products, plan.choice((2, 3)))
        calls.append(
            creating(customer, lines(*((product, plan.randrange(1, 3)) for product in chosen)))
        )

    answers = await at_once(doors, calls)

    assert set(statuses(answers)) == {201, 409}
    assert set(codes(answers)) == {"INSUFFICIENT_STOCK"}
    assert len(orders_of(database, customer)) == statuses(answers)[201]
    check_items(database, customer)
    for product, units in zip(products, stock_before, strict=True):
        check_books(database, product, units)


async def test_120_orders_of_the_same_products_in_any_order_of_lines_are_all_taken(
    doors: list[Api], orders: Api, customers: Api, database: TestDatabase
) -> None:
    plan = random_plan()
    customer = await a_customer(customers)
    products = [await a_product(orders, stock=1000) for _ in range(4)]

    answers = await at_once(
        doors,
        [creating(customer, shuffled_lines(plan, products)) for _ in range(120)],
    )

    assert statuses(answers) == {201: 120}
    assert stocks(database, products) == [880] * 4
    assert len(orders_of(database, customer)) == 120
