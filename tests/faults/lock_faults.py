"""Somebody else in the database who holds what the orders need, or takes it the other way round."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import closing, suppress

import pymysql

from tests.faults.scene import Scene, Strike

_DEADLOCKS = "SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'"


async def _hold(scene: Scene) -> None:
    """Hold the rows of products for longer than anybody waits for a lock."""
    held = scene.chance.sample(list(scene.products), 2)
    with suppress(pymysql.err.MySQLError):  # the database may be broken meanwhile
        with closing(await asyncio.to_thread(scene.stage.connect)) as connection:
            await asyncio.to_thread(hold_rows, connection, held)
            await scene.last(12)
            await asyncio.to_thread(connection.rollback)
        scene.struck["rows held from outside"] += 1


def hold_rows(
    connection: "pymysql.Connection[pymysql.cursors.Cursor]", products: Sequence[int]
) -> None:
    """Hold the rows of products until the connection gives them back."""
    connection.begin()
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM products WHERE id IN %s FOR UPDATE", (products,))


async def _make_deadlocks(scene: Scene) -> None:
    """Lock the products in the opposite order of everybody else, again and again."""
    with suppress(pymysql.err.MySQLError):
        scene.struck["deadlocks"] += await asyncio.to_thread(_lock_backwards, scene)


def _lock_backwards(scene: Scene) -> int:
    backwards = sorted(scene.products, reverse=True)
    end = time.monotonic() + 20 * scene.scale
    with scene.stage.connect() as connection, connection.cursor() as cursor:
        before = _deadlocks(cursor)
        while time.monotonic() < end:
            with suppress(pymysql.err.OperationalError):  # one of two that wait for each other
                connection.begin()
                for product in backwards:
                    cursor.execute("UPDATE products SET stock = stock WHERE id = %s", (product,))
            connection.rollback()
        return _deadlocks(cursor) - before


def _deadlocks(cursor: "pymysql.cursors.Cursor") -> int:
    cursor.execute(_DEADLOCKS)
    return int(cursor.fetchall()[0][1])


LOCKS = (
    Strike("rows held from outside", _hold),
    Strike("deadlocks", _make_deadlocks),
)
