"""A service that reads and writes all the time, on a connection of its own."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import pymysql

from local_system import processes
from tests.database_servers import TestDatabase

_READ = (
    "SELECT stock, (SELECT COUNT(*) FROM orders), (SELECT COUNT(*) FROM order_items)"
    " FROM products WHERE id = 9"
)
_WRITE = (
    "INSERT INTO products (sku, name, price_cents, stock, search_text) VALUES (%s, %s, 1, 1, '')"
)


@dataclass(slots=True)
class Service:
    """What it met: stock of product 9, number of orders, number of items; and failures."""

    seen: set[tuple[object, ...]] = field(default_factory=set)
    failures: list[pymysql.err.Error] = field(default_factory=list)

    def wait_for(self, stock: int) -> None:
        """Return when it has met this stock."""
        met = processes.wait_until(lambda: stock in {row[0] for row in set(self.seen)}, 20)
        assert met, f"it met {self.seen}, {self.failures}"

    def work(self, database: TestDatabase, ended: threading.Event) -> None:
        """Read, then write a product whose name tells the stock that was read."""
        variables = database.orders_variables()
        connection = pymysql.connect(
            host=variables["MYSQL_HOST"],
            port=int(variables["MYSQL_PORT"]),
            user=variables["MYSQL_USER"],
            password=variables["MYSQL_PASSWORD"],
            database=variables["MYSQL_DATABASE"],
            autocommit=True,
        )
        number = 0
        with closing(connection), connection.cursor() as cursor:
            while not ended.is_set():
                number += 1
                try:
                    cursor.execute(_READ)
                    ((stock, *counts),) = cursor.fetchall()
                    self.seen.add((stock, *counts))
                    cursor.execute(_WRITE, (f"NEW-{number}", f"after {stock}"))
                except pymysql.err.Error as failure:
                    self.failures.append(failure)


@contextmanager
def at_work(database: TestDatabase) -> Iterator[Service]:
    """Let the Orders API's account be at work for the block."""
    service, ended = Service(), threading.Event()
    thread = threading.Thread(target=service.work, args=(database, ended))
    thread.start()
    try:
        yield service
    finally:
        ended.set()
        thread.join()
