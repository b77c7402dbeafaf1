"""Cancels that race each other, a confirmation, or new orders."""

import asyncio
from collections.abc import Callable

import pytest

from tests.apis import Api
from tests.builders import a_customer, a_product, an_order, unique
from tests.database_servers import TestDatabase
from tests.integration.order_calls import cancel, confirm
from tests.integration.order_facts import check_books, stocks
from tests.integration.races.crowd import (
    Call,
    at_once,
    canceling,
    codes,
    confirming,
    creating,
    shuffled_lines,
    statuses,
)
from tests.integration.service_processes import Processes
from tests.plans import random_plan


@pytest.mark.parametrize("confirmed", [True, False])
@pytest.mark.parametrize("keys", ["none", "one", "many"])
async def test_20_cancels_at_once_give_the_stock_back_once(
    doors: list[Api],
    orders: Api,
    customers: Api,
    database: TestDatabase,
    keys: str,
    *,
    confirmed: bool,
) -> None:
    products = [await a_product(orders, stock=10) for _ in range(2)]
    order = await an_order(orders, await a_customer(customers), (products[0], 4), (products[1], 10))
    if confirmed:
        await confirm(orders, order)
    key = unique("key")

    def one_of_many(number: int) -> Call:
        headers = {
            "none": {},
            "one": {"X_Idempotency_Key": key},
            "many": {"X_Idempotency_Key": f"{key}-{number}"},
        }[keys]
        return lambda door: cancel(door, order, **headers)

    answers = await at_once(doors, [one_of_many(number) for number in range(20)])

    assert statuses(answers) == {200: 20}
    assert len({(answer.body, answer.headers["ETag"]) for answer in answers}) == 1
    assert stocks(database, products) == [10, 10]


async def test_a_confirmation_raced_by_a_cancel_never_leaves_it_confirmed_with_its_stock_back(
    doors: list[Api], orders: Api, customers: Api, database: TestDatabase
) -> None:
    plan = random_plan()
    customer, product = await a_customer(customers), await a_product(orders, stock=40)
    taken = await asyncio.gather(*(an_order(orders, customer, (product, 1)) for _ in range(40)))
    assert stocks(database, [product]) == [0]
    pairs = []
    for order in taken:
        pair = [confirming(order), canceling(order)]
        plan.shuffle(pair)
        pairs += pair
    answers = await at_once(doors, pairs)

    assert set(statuses(answers)) <= {200, 409}
    assert set(codes(answers)) <= {"ORDER_NOT_CONFIRMABLE"}
    # A cancel wins sooner or later: before the confirmation, or after it within ten minutes.
    for order in taken:
        assert (await orders.get(f"/orders/{order['id']}")).json["status"] == "CANCELED"
    assert stocks(database, [product]) == [40]


async def test_cancels_and_orders_of_the_same_products_at_once_all_go_through(
    doors: list[Api], orders: Api, customers: Api, database: TestDatabase
) -> None:
    plan = random_plan()
    customer = await a_customer(customers)
    products = [await a_product(orders, stock=200) for _ in range(4)]
    old = await asyncio.gather(
        *(an_order(orders, customer, *((product, 1) for product in products)) for _ in range(40))
    )

    calls = [canceling(order) for order in old]
    calls += [creating(customer, shuffled_lines(plan, products)) for _ in range(40)]
    plan.shuffle(calls)
    answers = await at_once(doors, calls)

    assert statuses(answers) == {200: 40, 201: 40}
    assert stocks(database, products) == [160] * 4
    for product in products:
        check_books(database, product, 200)


@pytest.fixture
def orders_with_no_time_to_cancel(processes: Processes, start_orders: Callable[..., Api]) -> Api:
    return start_orders(processes.customers, CANCEL_WINDOW_SECONDS="0")


async def test_a_confirmation_that_wins_against_a_cancel_stands_and_keeps_its_units(
    orders_with_no_time_to_cancel: Api, customers: Api, database: TestDatabase
) -> None:
    orders, plan = orders_with_no_time_to_cancel, random_plan()
    customer = await a_customer(customers)
    products = [await a_product(orders, stock=1) for _ in range(40)]
    taken = [await an_order(orders, customer, (product, 1)) for product in products]
    calls = [(step, order) for order in taken for step in (confirming, canceling)]
    plan.shuffle(calls)

    answers = await at_once([orders], [step(order) for step, order in calls])

    assert set(statuses(answers)) <= {200, 409}
    assert set(codes(answers)) <= {"ORDER_NOT_CONFIRMABLE", "CANCEL_WINDOW_CLOSED"}
    for order, left in zip(taken, stocks(database, products), strict=True):
        state = (await orders.get(f"/orders/{order['id']}")).json["status"]
        assert (state, left) in {("CONFIRMED", 0), ("CANCELED", 1)}
