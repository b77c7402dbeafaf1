"""Orders of a day in the past, written as they would be by now."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.database_servers import TestDatabase

NOON = datetime(2024, 2, 29, 12)


def written(
    database: TestDatabase, customer: Mapping[str, Any], status: str, moments: list[datetime]
) -> list[int]:
    """Write orders as they would be after some time; return their ids."""
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(MAX(id), 0) FROM orders")
        newest = cursor.fetchone()
        cursor.executemany(
            "INSERT INTO orders (customer_id, status, total_cents, created_at, confirmed_at,"
            " canceled_at) VALUES (%s, %s, %s, %s, %s, %s)",
            [
                (
                    customer["id"],
                    status,
                    1,
                    moment,
                    moment if status == "CONFIRMED" else None,
                    moment if status == "CANCELED" else None,
                )
                for moment in moments
            ],
        )
        cursor.execute("SELECT id FROM orders WHERE id > %s ORDER BY id", newest)
        return [int(order_id) for (order_id,) in cursor.fetchall()]
