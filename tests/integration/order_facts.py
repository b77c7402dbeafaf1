"""What the tests of orders ask the database, behind the service's back."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.database_servers import TestDatabase

_ORDERS = "SELECT id FROM orders WHERE customer_id = %s ORDER BY id"
_ROWS = (
    "SELECT (SELECT COUNT(*) FROM orders), (SELECT COUNT(*) FROM order_items),"
    " (SELECT COUNT(*) FROM idempotency_keys)"
)
_SHIFT_CONFIRMATION = (
    "UPDATE orders SET created_at = created_at - INTERVAL 2 DAY,"
    " confirmed_at = UTC_TIMESTAMP(3) - INTERVAL %s MICROSECOND WHERE id = %s"
)

Product = Mapping[str, Any]
Customer = Mapping[str, Any]


def orders_of(database: TestDatabase, customer: Customer) -> list[int]:
    """Return the ids of all orders of a customer."""
    return [int(str(order_id)) for (order_id,) in database.query(_ORDERS, customer["id"])]


def rows(database: TestDatabase) -> list[tuple[object, ...]]:
    """Return how many orders, items and keys there are."""
    return database.query(_ROWS)


def stocks(database: TestDatabase, products: Sequence[Product]) -> list[int]:
    """Return what is left of each product."""
    found = database.query("SELECT id, stock FROM products")
    left = {number: int(str(stock)) for number, stock in found}
    return [left[product["id"]] for product in products]


def confirmed_ago(database: TestDatabase, order: Mapping[str, Any], seconds: float) -> None:
    """Move an order's confirmation to so many seconds before now, by the database's clock."""
    database.query(_SHIFT_CONFIRMATION, round(seconds * 1_000_000), order["id"])


def check_books(database: TestDatabase, product: Product, units: int) -> None:
    """Check that stock and living orders together hold the units that the product came with."""
    ((held, left),) = database.query(
        "SELECT COALESCE((SELECT SUM(qty) FROM order_items JOIN orders ON orders.id = order_id"
        " WHERE product_id = products.id AND status <> 'CANCELED'), 0), stock"
        " FROM products WHERE id = %s",
        product["id"],
    )
    assert int(str(held)) + int(str(left)) == units
