"""The floor of a call's SQL: its statements, by aiomysql alone, without HTTP and without our pool.

The statements are those of the Orders API's repositories. What an idempotency key adds (a SELECT
and an INSERT) is left out.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiomysql
import uvloop

from benchmark.calls import Call
from benchmark.loading import add_orders
from benchmark.stand import Stand
from orders_api.orders import repository as orders
from orders_api.orders.rules import OrderFilter, price
from orders_api.products import repository as products
from service_kit.database_connections import Connection, DatabaseSettings, connect
from service_kit.settings import Environment

CLIENTS = 10
"""Connections that work at the same time: the pool of one process of the Orders API."""

_ANYTHING = OrderFilter(None, None, None, None)
_PAGE = 21
_FRESH_ORDERS = 12_000

Work = Callable[[Any], Awaitable[object]]
"""Runs the statements of one request on a connection of the driver."""


@dataclass(frozen=True, slots=True)
class SqlCost:
    """Requests' worth of SQL a second, and what each took of the client's CPU, in microseconds."""

    rate: float
    cpu_us: float


def measure_sql(stand: Stand, calls: Sequence[Call], seconds: int) -> dict[str, SqlCost]:
    """Return, by the name of the call, what its statements cost."""
    chosen = {call.name for call in calls}
    fresh = iter(add_orders(stand.connection, stand.loaded, _FRESH_ORDERS * seconds))
    return {
        name: uvloop.run(_measure(stand, work, seconds))
        for name, work in _statements(stand, fresh).items()
        if name in chosen
    }


def _statements(stand: Stand, fresh: Iterator[int]) -> Mapping[str, Work]:
    ids = stand.loaded

    async def get_product(raw: Any) -> object:
        return await products.get(Connection(raw), random.choice(ids.products))

    async def get_order(raw: Any) -> object:
        return await orders.get(Connection(raw), random.choice(ids.orders))

    async def list_orders(raw: Any) -> object:
        return await orders.page(Connection(raw), _ANYTHING, None, _PAGE)

    async def create_order(raw: Any) -> None:
        connection = Connection(raw)
        quantities = dict.fromkeys(sorted(random.sample(ids.products, 3)), 1)
        await raw.begin()
        offers = await orders.offers(connection, quantities, hold=False)
        items = price(quantities, offers)
        now = next(iter(offers.values())).read_at
        order = await orders.insert(connection, random.choice(ids.customers), items, now)
        await orders.take_stock(connection, items)
        await orders.insert_items(connection, order.id, items)
        await raw.commit()

    async def confirm_order(raw: Any) -> None:
        connection = Connection(raw)
        order_id = next(fresh)
        await raw.begin()
        await orders.lock(connection, order_id)
        await orders.set_confirmed(connection, order_id, datetime.now(UTC))
        await orders.items(connection, order_id)
        await raw.commit()

    return {
        work.__name__: work
        for work in (get_product, get_order, list_orders, create_order, confirm_order)
    }


async def _measure(stand: Stand, work: Work, seconds: int) -> SqlCost:
    settings = DatabaseSettings.read(Environment(stand.system.environment("orders_api")))
    connections = [await connect(settings, None) for _ in range(CLIENTS)]
    done = 0
    end = time.monotonic() + seconds

    async def client(raw: aiomysql.Connection) -> None:
        nonlocal done
        while time.monotonic() < end:
            await work(raw)
            done += 1

    began, cpu_began = time.monotonic(), time.process_time()
    await asyncio.gather(*map(client, connections))
    cpu_seconds, elapsed = time.process_time() - cpu_began, time.monotonic() - began
    for raw in connections:
        raw.close()
    return SqlCost(done / elapsed, cpu_seconds / done * 1e6)
