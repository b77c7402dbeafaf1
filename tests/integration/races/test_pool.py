"""As many requests as there are connections to the database, and more."""

from collections.abc import Callable

import pytest

from tests.apis import Api
from tests.builders import a_customer, a_product, lines, stock_of, unique
from tests.database_servers import TestDatabase
from tests.integration.order_facts import orders_of
from tests.integration.races.crowd import (
    at_once,
    creating,
    statuses,
)
from tests.integration.service_processes import Processes

FEW, USUAL = 2, 10
"""Sizes of a pool."""
ROUNDS = 1000
"""In a short run for the small pool alone."""


@pytest.mark.parametrize("number", [10, 100])
async def test_as_many_orders_at_once_as_there_are_connections_or_ten_times_that_do_not_hang(
    orders: Api, customers: Api, number: int
) -> None:
    customer, product = await a_customer(customers), await a_product(orders, stock=number)
    key = unique("key")

    answers = await at_once(
        [orders],
        [
            creating(customer, lines((product, 1)), X_Idempotency_Key=f"{key}-{count}")
            for count in range(number)
        ],
    )

    assert statuses(answers) == {201: number}
    assert (await orders.get("/health")).status == 200


@pytest.fixture(params=[FEW, USUAL])
def connections(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def orders_with_so_many(
    processes: Processes, start_orders: Callable[..., Api], connections: int
) -> Api:
    return start_orders(processes.customers, MYSQL_POOL_SIZE=str(connections))


@pytest.mark.timeout(400)
async def test_exactly_as_many_orders_at_once_as_there_are_connections_again_and_again(
    orders_with_so_many: Api, customers: Api, connections: int, long_seconds: float
) -> None:
    orders = orders_with_so_many
    rounds = ROUNDS if long_seconds or connections == FEW else ROUNDS // 20
    stock = rounds * connections
    customer, product = await a_customer(customers), await a_product(orders, stock=stock)
    items, key = lines((product, 1)), unique("key")

    for number in range(rounds):
        keys = (f"{key}-{number}-{place}" for place in range(connections))
        calls = [creating(customer, items, X_Idempotency_Key=key) for key in keys]
        assert statuses(await at_once([orders], calls)) == {201: connections}

    assert await stock_of(orders, product) == 0


@pytest.fixture
def orders_with_one_connection(processes: Processes, start_orders: Callable[..., Api]) -> Api:
    return start_orders(processes.customers, MYSQL_POOL_SIZE="1")


async def test_one_connection_is_enough(
    orders_with_one_connection: Api, customers: Api, database: TestDatabase
) -> None:
    orders = orders_with_one_connection
    customer, product = await a_customer(customers), await a_product(orders)
    key = unique("key")
    calls = [
        creating(customer, lines((product, 1)), X_Idempotency_Key=f"{key}-{number % 10}")
        for number in range(30)
    ]

    answers = await at_once([orders], calls)

    assert statuses(answers) == {201: 30}
    assert len(orders_of(database, customer)) == 10
