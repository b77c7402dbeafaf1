"""What a page costs the database: rows read, by the server's own counters."""

import itertools
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import pytest
from tornado.ioloop import IOLoop

from local_system.database import DatabaseServer
from orders_api.orders import repository as orders
from orders_api.orders.rules import OrderFilter
from orders_api.products import repository as products
from orders_api.settings import load
from service_kit.database import Database
from service_kit.database_connections import Connection
from service_kit.metrics import Metrics
from service_kit.paging import FIRST_PAGE_ID
from tests.apis import JWT_VARIABLES, SERVICE_TOKEN
from tests.database_servers import TestDatabase, create_database

T = TypeVar("T")

ORDERS = 3600
PRODUCTS = 2000
ROWS = 21
# Besides its rows, a page may look for the beginning of each range of its index.
SMALL = 6
START = datetime(2025, 1, 1)
STATUSES = ("CREATED", "CONFIRMED", "CANCELED")


@pytest.fixture(scope="module")
def full_database(database: TestDatabase) -> TestDatabase:
    """Return a database of its own with many orders, 40 of each moment, and many products."""
    admin = database.admin
    server = DatabaseServer(admin.host, admin.port, admin.admin_user, admin.admin_password)
    full = create_database(server)
    with full.connect() as connection, connection.cursor() as cursor:
        connection.begin()
        for name in ("one", "other"):
            cursor.execute(
                "INSERT INTO customers (name, email, search_text) VALUES (%s, %s, '')",
                (name, f"{name}@example.com"),
            )
        cursor.executemany(
            "INSERT INTO orders (customer_id, total_cents, status, created_at, confirmed_at,"
            " canceled_at) VALUES (%s, %s, %s, %s, %s, %s)",
            [_order(number) for number in range(ORDERS)],
        )
        cursor.executemany(
            "INSERT INTO products (sku, name, price_cents, stock, search_text)"
            " VALUES (%s, %s, %s, %s, %s)",
            [(f"SKU-{number}", "Cable", 1, 1, " cable") for number in range(PRODUCTS)],
        )
        cursor.executemany(
            "INSERT INTO order_items (order_id, product_id, qty, unit_price_cents, subtotal_cents)"
            " VALUES (%s, %s, %s, %s, %s)",
            [(1 + number // 3, 1 + number % PRODUCTS, 1, 1, 1) for number in range(3 * ORDERS)],
        )
        connection.commit()
        cursor.execute("ANALYZE TABLE orders, order_items, products")
    return full


def _order(number: int) -> tuple[int, int, str, datetime, datetime | None, datetime | None]:
    moment = START + timedelta(seconds=number // 40)
    status = STATUSES[number % 3]
    confirmed = moment if status == "CONFIRMED" else None
    canceled = moment if status == "CANCELED" else None
    return 1 + number // 3 % 2, number, status, moment, confirmed, canceled


@dataclass(frozen=True, slots=True)
class Counted:
    """Runs queries of a service as the service does, and counts what they cost."""

    pool: Database

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> tuple[T, int, int]:
        """Return the result, how many rows the server read for it, and how many it sorted."""

        async def counted(connection: Connection) -> tuple[T, int, int]:
            idle = await _counters(connection)
            before = await _counters(connection)
            result = await work(connection)
            after = await _counters(connection)
            # Asking for the counters moves them too.
            read, sorted_rows = (
                (after[place] - before[place]) - (before[place] - idle[place]) for place in (0, 1)
            )
            return result, read, sorted_rows

        return await self.pool.read(counted)


async def _counters(connection: Connection) -> tuple[int, int]:
    rows = await connection.fetch_all(
        "SHOW SESSION STATUS WHERE Variable_name LIKE %s OR Variable_name = 'Sort_rows'",
        "Handler_read%",
    )
    counters = {str(name): int(value) for name, value in rows}
    sorted_rows = counters.pop("Sort_rows")
    return sum(counters.values()), sorted_rows


@pytest.fixture
def counted(io_loop: IOLoop, full_database: TestDatabase) -> Iterator[Counted]:
    settings = load(
        {
            **JWT_VARIABLES,
            "SERVICE_TOKEN": SERVICE_TOKEN,
            "CUSTOMERS_API_BASE": "http://127.0.0.1:1",
            **full_database.orders_variables(),
        }
    )
    pool = Database(settings.database, Metrics())
    yield Counted(pool)
    io_loop.run_sync(pool.close)


MIDDLE = START + timedelta(seconds=ORDERS // 40 // 2)
NEAR_THE_START = START + timedelta(seconds=2)


@pytest.mark.parametrize(
    ("customer_id", "status", "start", "end"),
    itertools.product(
        (None, 1),
        (None, "CONFIRMED", "CANCELED"),
        (None, NEAR_THE_START),
        (None, MIDDLE),
    ),
)
async def test_a_page_of_orders_reads_its_own_rows_alone_however_deep_it_lies(
    counted: Counted,
    customer_id: int | None,
    status: str | None,
    start: datetime | None,
    end: datetime | None,
) -> None:
    chosen = OrderFilter(customer_id, status, start, end)
    everything, _, _ = await counted.run(lambda c: orders.page(c, chosen, None, ORDERS))
    assert len(everything) > 5 * ROWS
    depths = [None, *(everything[place] for place in (ROWS, len(everything) // 2, -ROWS - 1))]

    costs = []
    for last in depths:
        before = (last.created_at, last.id) if last else None
        page, read, sorted_rows = await counted.run(
            partial(orders.page, chosen=chosen, before=before, rows=ROWS)
        )
        assert len(page) == ROWS
        assert sorted_rows == 0
        costs.append(read)

    assert costs[0] >= ROWS
    assert max(costs) <= ROWS + SMALL, costs
    assert max(costs) <= costs[0] + SMALL, costs


async def test_a_page_of_products_reads_its_own_rows_alone_however_deep_it_lies(
    counted: Counted,
) -> None:
    costs = []
    for before_id in (FIRST_PAGE_ID, PRODUCTS // 2, ROWS + 1):
        page, read, sorted_rows = await counted.run(
            partial(products.page, search=None, before_id=before_id, rows=ROWS)
        )
        assert len(page) == ROWS
        assert sorted_rows == 0
        costs.append(read)

    assert costs[0] >= ROWS
    assert max(costs) <= ROWS + SMALL, costs


async def test_an_order_with_its_items_is_one_look_up(counted: Counted) -> None:
    found, read, _ = await counted.run(lambda c: orders.get(c, ORDERS // 2))

    assert found is not None
    assert len(found[1]) == 3
    assert read <= 3 + SMALL


async def test_the_counters_would_tell_a_page_that_reads_too_much(counted: Counted) -> None:
    _, read, sorted_rows = await counted.run(
        lambda c: c.fetch_all("SELECT id FROM orders ORDER BY total_cents + 1 DESC LIMIT 21")
    )

    assert read >= ORDERS
    assert sorted_rows > 0
