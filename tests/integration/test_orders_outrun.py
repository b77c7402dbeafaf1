"""Orders that somebody else gets ahead of, at a moment of the test's choice."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from pymysql.err import OperationalError

from orders_api.orders import repository
from orders_api.orders.rules import Order
from tests.apis import Api
from tests.builders import a_customer, a_product, lines, stock_of
from tests.database_servers import TestDatabase
from tests.integration.locks import holding, holding_product
from tests.integration.order_calls import (
    create,
    refusal,
)
from tests.integration.order_facts import orders_of, stocks


async def test_an_order_outrun_by_another_buyer_is_refused_and_nothing_stays(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    customer = await a_customer(customers)
    first, second = await a_product(orders, stock=5), await a_product(orders, stock=5)

    with holding_product(database, second) as other:
        attempt = asyncio.create_task(
            create(orders, customer["id"], lines((first, 3), (second, 3)))
        )
        await other.until_waiting()
        other.run("UPDATE products SET stock = 2 WHERE id = %s", second["id"])
        other.commit()
    answer = await attempt

    assert refusal(answer) == (409, "INSUFFICIENT_STOCK")
    assert answer.json["errors"] == [{"product_id": second["id"], "requested": 3, "available": 2}]
    assert orders_of(database, customer) == []
    assert stocks(database, [first, second]) == [5, 2]


async def test_an_order_has_the_price_at_which_its_units_were_taken(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    customer, product = await a_customer(customers), await a_product(orders, price_cents=100)

    with holding_product(database, product) as other:
        attempt = asyncio.create_task(create(orders, customer["id"], lines((product, 3))))
        await other.until_waiting()
        other.run("UPDATE products SET price_cents = 70 WHERE id = %s", product["id"])
        other.commit()
    answer = await attempt

    assert answer.status == 201
    assert answer.json["items"][0]["unit_price_cents"] == 70
    assert answer.json["total_cents"] == 210
    assert orders_of(database, customer) == [answer.json["id"]]
    assert await stock_of(orders, product) == 97


async def test_an_order_that_was_outrun_twice_holds_its_products_and_is_outrun_no_more(
    orders: Api, customers: Api, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer, product = await a_customer(customers), await a_product(orders, price_cents=100)
    insert_and_take_stock, price = repository.insert_and_take_stock, 100

    async def take_stock_at_another_price(*arguments: Any) -> Order | None:
        nonlocal price
        lock = "SELECT id FROM products WHERE id = %s FOR UPDATE NOWAIT"
        with suppress(OperationalError), holding(database, lock, product["id"]) as other:
            price += 1
            other.run("UPDATE products SET price_cents = %s WHERE id = %s", price, product["id"])
            other.commit()
        return await insert_and_take_stock(*arguments)

    monkeypatch.setattr(repository, "insert_and_take_stock", take_stock_at_another_price)
    answer = await create(orders, customer["id"], lines((product, 1)))

    assert answer.status == 201
    assert answer.json["total_cents"] == price == 102
    assert orders_of(database, customer) == [answer.json["id"]]
    assert await stock_of(orders, product) == 99
