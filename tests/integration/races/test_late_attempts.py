"""An attempt that is late: meanwhile its client repeated it and was refused for good."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.apis import Answer, Api
from tests.builders import a_customer, a_product, lines, stock_of, unique
from tests.database_servers import TestDatabase
from tests.integration.order_calls import create, patch, refusal
from tests.integration.order_facts import orders_of
from tests.integration.races.stops import StopsAt
from tests.waiting import until

STOCK = 5
LOSS = 3
TAKING = b"INSERT INTO orders"


@asynccontextmanager
async def late_attempt(stop: StopsAt, request: Any) -> AsyncIterator["asyncio.Task[Answer]"]:
    """Stop an attempt when it is about to take the units; it goes on at the end."""
    stop.at(0, TAKING)
    late = asyncio.create_task(request)
    await until(stop.is_stopped.is_set, "the attempt to be about to take the units")
    try:
        yield late
    finally:
        stop.may_go_on.set()
        await late


async def test_it_takes_the_order_once_if_the_units_come_back_and_a_repeat_is_told_so(
    stop: StopsAt, stopped_door: Api, orders: Api, customers: Api, database: TestDatabase
) -> None:
    customer, product = await a_customer(customers), await a_product(orders, stock=STOCK)
    request = customer["id"], lines((product, STOCK))
    key = unique("key")

    async with late_attempt(stop, create(stopped_door, *request, X_Idempotency_Key=key)) as late:
        await patch(orders, product, {"stock_delta": -LOSS})
        repeat = await create(orders, *request, X_Idempotency_Key=key)
        assert refusal(repeat) == (409, "INSUFFICIENT_STOCK")
        assert orders_of(database, customer) == []
        await patch(orders, product, {"stock_delta": LOSS})
    first, again = await late, await create(orders, *request, X_Idempotency_Key=key)

    assert (first.status, again.status, again.body) == (201, 201, first.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert orders_of(database, customer) == [first.json["id"]]
    assert await stock_of(orders, product) == 0


async def test_it_is_refused_as_its_repeat_was_if_the_units_stay_away(
    stop: StopsAt, stopped_door: Api, orders: Api, customers: Api, database: TestDatabase
) -> None:
    customer, product = await a_customer(customers), await a_product(orders, stock=STOCK)
    request = customer["id"], lines((product, STOCK))
    key = unique("key")

    async with late_attempt(stop, create(stopped_door, *request, X_Idempotency_Key=key)) as late:
        await patch(orders, product, {"stock_delta": -LOSS})
        repeat = await create(orders, *request, X_Idempotency_Key=key)

    assert refusal(repeat) == refusal(await late) == (409, "INSUFFICIENT_STOCK")
    assert orders_of(database, customer) == []
    assert await stock_of(orders, product) == STOCK - LOSS
