"""Connections that an administrator kills while a request is in the middle of its work."""

import asyncio

import pytest

from tests.apis import Api
from tests.builders import a_customer, a_product, an_order, lines, unique
from tests.database_servers import TestDatabase
from tests.integration.locks import holding_order, holding_product, kill_connections
from tests.integration.order_calls import cancel, confirm, create
from tests.integration.order_facts import orders_of, stocks
from tests.integration.replays import check_first, check_replay

HOW = pytest.mark.parametrize("query_alone", [True, False], ids=["query", "connection"])


@HOW
async def test_an_order_whose_connection_is_killed_half_way_is_begun_anew(
    orders: Api, customers: Api, database: TestDatabase, *, query_alone: bool
) -> None:
    customer = await a_customer(customers)
    free, held = await a_product(orders), await a_product(orders)
    items, key = lines((free, 1), (held, 1)), unique("key")

    with holding_product(database, held) as other:
        attempt = asyncio.create_task(create(orders, customer["id"], items, X_Idempotency_Key=key))
        await other.until_waiting()
        killed = kill_connections(database, statement="UPDATE products", query_alone=query_alone)
    answer = await attempt

    assert len(killed) == 1
    check_first(answer)
    assert orders_of(database, customer) == [answer.json["id"]]
    assert stocks(database, [free, held]) == [99, 99]
    check_replay(await create(orders, customer["id"], items, X_Idempotency_Key=key), answer)


@HOW
async def test_a_confirmation_whose_connection_is_killed_takes_place_once(
    orders: Api, customers: Api, database: TestDatabase, *, query_alone: bool
) -> None:
    order = await an_order(orders, await a_customer(customers), (await a_product(orders), 1))
    key = unique("key")

    with holding_order(database, order) as other:
        attempt = asyncio.create_task(confirm(orders, order, key))
        await other.until_waiting()
        killed = kill_connections(database, statement="SELECT", query_alone=query_alone)
    answer = await attempt

    assert len(killed) == 1
    check_first(answer, 200)
    check_replay(await confirm(orders, order, key), answer)


@HOW
async def test_a_cancel_whose_connection_is_killed_gives_the_stock_back_once(
    orders: Api, customers: Api, database: TestDatabase, *, query_alone: bool
) -> None:
    products = [await a_product(orders, stock=10) for _ in range(2)]
    order = await an_order(orders, await a_customer(customers), *((p, 3) for p in products))

    with holding_product(database, products[1]) as other:
        attempt = asyncio.create_task(cancel(orders, order))
        await other.until_waiting()
        killed = kill_connections(database, statement="UPDATE products", query_alone=query_alone)
    answer = await attempt

    assert len(killed) == 1
    assert (answer.status, answer.json["status"]) == (200, "CANCELED")
    assert stocks(database, products) == [10, 10]
