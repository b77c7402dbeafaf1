"""Rows that a test holds locked, so that a request meets somebody else just when it should."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pymysql

from tests.database_servers import TestDatabase
from tests.waiting import until

# Not information_schema.innodb_trx: whoever asks it more often than ten times a second is shown
# the same old picture for ever.
_WAITING = "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'"


@dataclass(frozen=True, slots=True)
class OpenTransaction:
    """The administrator in the middle of a transaction; its locks are held until it ends."""

    connection: "pymysql.Connection[pymysql.cursors.Cursor]"

    def run(self, sql: str, *parameters: object) -> list[tuple[object, ...]]:
        """Run a statement of the transaction; return its rows."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall())

    def waiting(self) -> int:
        """Return how many connections wait for a row's lock."""
        ((_, number),) = self.run(_WAITING)
        return int(str(number))

    async def until_waiting(self, connections: int = 1) -> None:
        """Wait until so many connections wait for a lock."""
        await until(lambda: self.waiting() >= connections, f"{connections} waiting for a lock")

    def commit(self) -> None:
        """Make the changes last, and let the locks go."""
        self.connection.commit()

    def undo(self) -> None:
        """Undo the changes, and let the locks go."""
        self.connection.rollback()


@contextmanager
def holding(database: TestDatabase, sql: str, *parameters: object) -> Iterator[OpenTransaction]:
    """Begin a transaction with one statement and keep its locks; undo it at the end."""
    with database.connect() as connection:
        transaction = OpenTransaction(connection)
        connection.begin()
        transaction.run(sql, *parameters)
        try:
            yield transaction
        finally:
            transaction.undo()


def holding_product(
    database: TestDatabase, product: Mapping[str, Any]
) -> AbstractContextManager[OpenTransaction]:
    """Hold the row of a product."""
    return holding(database, "SELECT id FROM products WHERE id = %s FOR UPDATE", product["id"])


def holding_order(
    database: TestDatabase, order: Mapping[str, Any]
) -> AbstractContextManager[OpenTransaction]:
    """Hold the row of an order."""
    return holding(database, "SELECT id FROM orders WHERE id = %s FOR UPDATE", order["id"])


def kill_connections(
    database: TestDatabase, *, statement: str = "", query_alone: bool = False, at_most: int = 1000
) -> list[int]:
    """Kill the Orders API's connections that run a statement (or any); return which."""
    user = database.orders_variables()["MYSQL_USER"]
    killed: list[int] = []
    for thread, whose, _, _, command, _, _, running, *_ in database.query("SHOW FULL PROCESSLIST"):
        busy = command == "Query" and str(running).startswith(statement)
        if whose == user and busy and len(killed) < at_most:
            with suppress(pymysql.err.OperationalError):  # it has ended by itself meanwhile
                database.query(f"KILL {'QUERY' if query_alone else 'CONNECTION'} {thread}")
                killed.append(int(str(thread)))
    return killed
