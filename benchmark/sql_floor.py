"""The floor of a call's SQL: its statements, by aiomysql alone, without HTTP and without our pool.

The statements are those of the Orders API's repositories. What an idempotency key adds (a SELECT
and an INSERT) is left out.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
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
from service_kit.database_answers import Result
from service_kit.database_connections import Connection, PutOff, Statement
from service_kit.database_driver import ISOLATION, DatabaseSettings, login
from service_kit.settings import Environment

CLIENTS = 10
"""Connections that work at the same time: the pool of one process of the Orders API."""

_ANYTHING = OrderFilter(None, None, None, None)
_PAGE = 21
_FRESH_A_SECOND = 12_000
"""Orders to confirm, several times as many as SQL alone can: without HTTP it is much faster."""

Work = Callable[["Alone"], Awaitable[object]]
"""Runs the statements of one request."""


class Alone(Connection):
    """What repositories work with, by nothing but aiomysql: each statement is an exchange."""

    def __init__(self, raw: aiomysql.Connection) -> None:
        self._driver = raw
        self._waiting: list[Statement] = []

    async def run(self, *statements: Statement) -> list[Result]:
        """Run statements one after another, first those that were put off."""
        results = []
        async with self._driver.cursor() as cursor:
            for sql, *parameters in [*self._waiting, *statements]:
                await cursor.execute(sql, parameters)
                rows = list(await cursor.fetchall() or [])
                results.append(Result(rows, cursor.rowcount, cursor.lastrowid, 0))
        self._waiting.clear()
        return results[-len(statements) :]

    def put_off(self, sql: str, *parameters: Any) -> PutOff:
        """Keep a statement until the next one."""
        self._waiting.append((sql, *parameters))
        return PutOff(sql)

    async def commit(self) -> None:
        """End a transaction."""
        await self.run(("COMMIT",))


@dataclass(frozen=True, slots=True)
class SqlCost:
    """Requests' worth of SQL a second, and what each took of the client's CPU, in microseconds."""

    rate: float
    cpu_us: float


def measure_sql(stand: Stand, calls: Sequence[Call], seconds: int) -> dict[str, SqlCost]:
    """Return, by the name of the call, what its statements cost."""
    chosen = {call.name for call in calls}
    fresh: Iterable[int] = ()
    if "confirm_order" in chosen:
        fresh = add_orders(stand.connection, stand.loaded, _FRESH_A_SECOND * seconds)
    return {
        name: uvloop.run(_measure(stand, work, seconds))
        for name, work in _statements(stand, iter(fresh)).items()
        if name in chosen
    }


def _statements(stand: Stand, fresh: Iterator[int]) -> Mapping[str, Work]:
    ids = stand.loaded

    async def get_product(connection: Alone) -> object:
        return await products.get(connection, random.choice(ids.products))

    async def get_order(connection: Alone) -> object:
        return await orders.get(connection, random.choice(ids.orders))

    async def list_orders(connection: Alone) -> object:
        return await orders.page(connection, _ANYTHING, None, _PAGE)

    async def create_order(connection: Alone) -> None:
        quantities = dict.fromkeys(sorted(random.sample(ids.products, 3)), 1)
        connection.put_off("BEGIN")
        offers = await orders.offers(connection, quantities, hold=False)
        items = price(quantities, offers)
        now = next(iter(offers.values())).read_at
        customer_id = random.choice(ids.customers)
        order = await orders.insert_and_take_stock(connection, customer_id, items, now)
        if order is not None:
            orders.insert_items(connection, order.id, items)
            await connection.commit()

    async def confirm_order(connection: Alone) -> None:
        order_id = next(fresh)
        connection.put_off("BEGIN")
        await orders.lock(connection, order_id)
        orders.set_confirmed(connection, order_id, datetime.now(UTC))
        await connection.commit()

    return {
        work.__name__: work
        for work in (get_product, get_order, list_orders, create_order, confirm_order)
    }


async def _measure(stand: Stand, work: Work, seconds: int) -> SqlCost:
    settings = DatabaseSettings.read(Environment(stand.system.environment("orders_api")))
    connections = [await _connect(settings) for _ in range(CLIENTS)]
    done = 0
    end = time.monotonic() + seconds

    async def client(raw: aiomysql.Connection) -> None:
        nonlocal done
        while time.monotonic() < end:
            await work(Alone(raw))
            done += 1

    began, cpu_began = time.monotonic(), time.process_time()
    await asyncio.gather(*map(client, connections))
    cpu_seconds, elapsed = time.process_time() - cpu_began, time.monotonic() - began
    for raw in connections:
        raw.close()
    return SqlCost(done / elapsed, cpu_seconds / done * 1e6)


async def _connect(settings: DatabaseSettings) -> aiomysql.Connection:
    """Return a connection whose session is set up as the product's are."""
    raw = await aiomysql.connect(**login(settings))
    await raw.query(ISOLATION)
    return raw
