"""Pools of connections for tests: on a table of their own, with somebody who watches."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import uvloop
from tornado.ioloop import IOLoop
from tornado.platform.asyncio import AsyncIOLoop

from service_kit.database import Database
from service_kit.database_connections import Connection
from service_kit.database_driver import DatabaseSettings
from tests.database_servers import TestDatabase


@dataclass(slots=True)
class Watcher:
    """Remembers what the pool told of itself."""

    in_use: int = 0
    most_in_use: int = 0
    repeats: list[str] = field(default_factory=list)

    def pool_in_use(self, connections: int) -> None:
        self.in_use = connections
        self.most_in_use = max(self.most_in_use, connections)

    def transaction_repeated(self, reason: str) -> None:
        self.repeats.append(reason)


@dataclass(frozen=True, slots=True)
class Counters:
    """A table of numbers that transactions add to, in a database that no service knows."""

    database: TestDatabase

    def settings(self, pool_size: int, port: int | None) -> DatabaseSettings:
        admin = self.database.admin
        return DatabaseSettings(
            host=admin.host,
            port=port or admin.port,
            database=admin.database,
            user=admin.admin_user,
            password=admin.admin_password,
            pool_size=pool_size,
            tls=False,
            tls_ca=None,
        )

    def add(self) -> int:
        """Add a counter at 0; return its id."""
        with self.database.connect() as connection, connection.cursor() as cursor:
            cursor.execute("INSERT INTO counters (value) VALUES (0)")
            return cursor.lastrowid

    def value(self, counter: int) -> int:
        """Return what was committed."""
        ((value,),) = self.database.query("SELECT value FROM counters WHERE id = %s", counter)
        return int(str(value))

    def is_locked(self, counter: int) -> bool:
        """Tell whether somebody holds the row."""
        free = self.database.query(
            "SELECT id FROM counters WHERE id = %s FOR UPDATE SKIP LOCKED", counter
        )
        return not free

    def kill(self, connection_id: int, what: str = "CONNECTION") -> None:
        """End a connection, or the statement that it runs."""
        self.database.query(f"KILL {what} %s", connection_id)

    def is_connected(self, connection_id: int) -> bool:
        """Tell whether the server knows the connection."""
        rows = self.database.query(
            "SELECT 1 FROM information_schema.processlist WHERE id = %s", connection_id
        )
        return bool(rows)


@contextmanager
def counters(on: TestDatabase) -> Iterator[Counters]:
    """Make the table, in a database of its own, for as long as the block."""
    name = f"{on.admin.database}_pool"
    on.query(f"CREATE DATABASE `{name}`")
    own = TestDatabase(replace(on.admin, database=name))
    own.query(
        "CREATE TABLE counters (id BIGINT PRIMARY KEY AUTO_INCREMENT, value BIGINT NOT NULL)"
        " ENGINE = InnoDB"
    )
    try:
        yield Counters(own)
    finally:
        on.query(f"DROP DATABASE `{name}`")


async def add_one(connection: Connection, counter: int) -> None:
    """Add 1 to a counter."""
    await connection.execute("UPDATE counters SET value = value + 1 WHERE id = %s", counter)


async def id_of(connection: Connection) -> int:
    """Return the server's name of a connection."""
    row = await connection.fetch_one("SELECT CONNECTION_ID()")
    assert row is not None
    return int(row[0])


async def ids_of_all(pool: Database, connections: int) -> list[int]:
    """Use so many connections at once, so that all of them are open; return their ids."""
    all_there = asyncio.Barrier(connections)

    async def work(connection: Connection) -> int:
        number = await id_of(connection)
        await all_there.wait()
        return number

    return await asyncio.gather(*(pool.read(work) for _ in range(connections)))


OpenPool = Callable[..., Database]


@contextmanager
def uvloop_as_io_loop() -> Iterator[IOLoop]:
    """Make a loop of the kind that services run on: it treats dead connections in its own way."""
    loop = AsyncIOLoop(asyncio_loop=uvloop.new_event_loop(), make_current=False)
    try:
        yield loop
    finally:
        loop.run_sync(_end_all_tasks)
        loop.close(all_fds=True)


async def _end_all_tasks() -> None:
    """End what a failed test has left: uvloop may wait for it without end when it is closed."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
