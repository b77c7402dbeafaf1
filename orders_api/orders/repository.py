"""The SQL of orders and their items, and of the stock that they take."""

import itertools
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from orders_api.orders.rules import Item, Offer, Order, OrderFilter, OrderStatus, total
from service_kit.database_connections import Connection, Statement

_COLUMNS = "id, customer_id, status, total_cents, version, created_at, confirmed_at, canceled_at"

_ITEMS_OF_ORDER = (
    "SELECT product_id, qty, unit_price_cents FROM order_items WHERE order_id = %s"
    " ORDER BY product_id"
)

# Of a hundred ids and a few hundred products the servers would rather read the whole table, and
# wait for locks on products that nobody asked for.
_CERTAIN_PRODUCTS = "products FORCE INDEX (PRIMARY)"

_PAST_ALL_IDS = 2**63
"""The first id that no row can have."""

_INDEX_BY_FILTERS = {
    (): "orders_by_time",
    ("status",): "orders_by_status",
    ("customer_id",): "orders_by_customer",
    ("customer_id", "status"): "orders_by_customer_and_status",
}


async def offers(
    connection: Connection, product_ids: Iterable[int], *, hold: bool
) -> dict[int, Offer]:
    """Return price and stock of those products that exist; held ones stay so until the end."""
    ids = [_comparable(product_id) for product_id in product_ids]
    rows = await connection.fetch_all(
        f"SELECT id, price_cents, stock, UTC_TIMESTAMP(3) FROM {_CERTAIN_PRODUCTS}"
        f" WHERE id IN ({_marks(ids)}){' ORDER BY id FOR UPDATE' if hold else ''}",
        *ids,
    )
    return {product_id: Offer(*offer) for product_id, *offer in rows}


async def give_back_stock(connection: Connection, items: Sequence[Item]) -> None:
    """Add the units of all items to the stock of their products."""
    ids = [item.product_id for item in items]
    await connection.execute(
        f"UPDATE {_CERTAIN_PRODUCTS} SET stock = stock + {_case(ids)}, version = version + 1,"
        f" updated_at = UTC_TIMESTAMP(3) WHERE id IN ({_marks(ids)})",
        *_flat((item.product_id, item.qty) for item in items),
        *ids,
    )


async def insert_and_take_stock(
    connection: Connection, customer_id: int, items: Sequence[Item], created_at: datetime
) -> Order | None:
    """Write a new order, without its items, and take their units; its moment is the database's.

    Return None if a price or a stock is no longer as it was read. The transaction must then be
    undone: some of the units are taken.

    Raises:
        MissingReference: there is no row of the customer.
    """
    total_cents = total(items)
    inserted, taken = await connection.run(
        _insertion(customer_id, total_cents, created_at), _taking(items)
    )
    if taken.matched != len(items):
        return None
    return Order(inserted.made_id, customer_id, OrderStatus.CREATED, total_cents, 1, created_at)


def _insertion(customer_id: int, total_cents: int, created_at: datetime) -> Statement:
    sql = (
        "INSERT INTO orders (customer_id, status, total_cents, created_at)"
        " VALUES (%s, 'CREATED', %s, %s)"
    )
    return sql, customer_id, total_cents, created_at


def _taking(items: Sequence[Item]) -> Statement:
    """Return what takes the units of those items whose price and stock are as they were read."""
    ids = [item.product_id for item in items]
    units = _flat((item.product_id, item.qty) for item in items)
    prices = _flat((item.product_id, item.unit_price_cents) for item in items)
    by_product = _case(ids)
    sql = (
        f"UPDATE {_CERTAIN_PRODUCTS} SET stock = stock - {by_product}, version = version + 1,"
        f" updated_at = UTC_TIMESTAMP(3) WHERE id IN ({_marks(ids)})"
        f" AND stock >= {by_product} AND price_cents = {by_product}"
    )
    return sql, *units, *ids, *units, *prices


def insert_items(connection: Connection, order_id: int, items: Sequence[Item]) -> None:
    """Write the items of an order."""
    connection.put_off(
        "INSERT INTO order_items (order_id, product_id, qty, unit_price_cents, subtotal_cents)"
        " VALUES " + ", ".join(["(%s, %s, %s, %s, %s)"] * len(items)),
        *itertools.chain.from_iterable(
            (order_id, item.product_id, item.qty, item.unit_price_cents, item.subtotal_cents)
            for item in items
        ),
    )


async def lock(connection: Connection, order_id: int) -> tuple[Order, list[Item], datetime] | None:
    """Return an order that nobody else may change until the end, its items, the database's time.

    The time is SYSDATE's, taken when the lock was had; UTC_TIMESTAMP is that of the beginning of
    the statement, before the wait. The session's time zone is UTC.
    """
    locked, found = await connection.run(
        (f"SELECT {_COLUMNS}, SYSDATE(3) FROM orders WHERE id = %s FOR UPDATE", order_id),
        (_ITEMS_OF_ORDER, order_id),
    )
    if not locked.rows:
        return None
    (row,) = locked.rows
    return _order(row[:-1]), [Item(*item) for item in found.rows], row[-1]


def set_confirmed(connection: Connection, order_id: int, moment: datetime) -> None:
    """Write that an order is confirmed."""
    connection.put_off(
        "UPDATE orders SET status = 'CONFIRMED', confirmed_at = %s, version = version + 1"
        " WHERE id = %s",
        moment,
        order_id,
    )


def set_canceled(connection: Connection, order_id: int, moment: datetime) -> None:
    """Write that an order is canceled."""
    connection.put_off(
        "UPDATE orders SET status = 'CANCELED', canceled_at = %s, version = version + 1"
        " WHERE id = %s",
        moment,
        order_id,
    )


async def get(connection: Connection, order_id: int) -> tuple[Order, list[Item]] | None:
    """Return an order and its items."""
    columns = ", ".join(f"orders.{column}" for column in _COLUMNS.split(", "))
    rows = await connection.fetch_all(
        f"SELECT {columns}, product_id, qty, unit_price_cents FROM orders"
        " JOIN order_items ON order_items.order_id = orders.id WHERE orders.id = %s"
        " ORDER BY product_id",
        order_id,
    )
    if not rows:
        return None
    return _order(rows[0][:-3]), [Item(*row[-3:]) for row in rows]


async def page(
    connection: Connection,
    chosen: OrderFilter,
    before: tuple[datetime, int] | None,
    rows: int,
) -> list[Order]:
    """Return orders newest first, from below a moment and an id on."""
    filters: dict[str, Any] = {}
    if chosen.customer_id is not None:
        filters["customer_id"] = _comparable(chosen.customer_id)
    if chosen.status is not None:
        filters["status"] = chosen.status
    conditions = [f"{name} = %s" for name in filters]
    parameters: list[Any] = list(filters.values())
    if chosen.start is not None:
        conditions.append("created_at >= %s")
        parameters.append(chosen.start)
    if chosen.end is not None:
        conditions.append("created_at < %s")
        parameters.append(chosen.end)
    if before is not None:
        # Not (created_at, id) < (…, …): neither server uses an index for that.
        conditions.append("(created_at < %s OR (created_at = %s AND id < %s))")
        parameters += [before[0], before[0], before[1]]
    found = await connection.fetch_all(
        f"SELECT {_COLUMNS} FROM orders"
        f" FORCE INDEX ({_INDEX_BY_FILTERS[tuple(filters)]})"
        f" WHERE {' AND '.join(conditions) or 'TRUE'}"
        " ORDER BY created_at DESC, id DESC LIMIT %s",
        *parameters,
        rows,
    )
    return [_order(row) for row in found]


def _comparable(row_id: int) -> int:
    """Return an id as the servers can compare it: over hundreds of digits they stumble."""
    return min(row_id, _PAST_ALL_IDS)


def _order(row: tuple[Any, ...]) -> Order:
    order_id, customer_id, status, *rest = row
    return Order(order_id, customer_id, OrderStatus(status), *rest)


def _marks(values: Sequence[Any]) -> str:
    return ", ".join(["%s"] * len(values))


def _case(ids: Sequence[int]) -> str:
    """Return an SQL expression of one number for each product; its parameters are `_flat` pairs."""
    return "CASE id " + "WHEN %s THEN %s " * len(ids) + "END"


def _flat(pairs: Iterable[tuple[int, int]]) -> list[int]:
    return list(itertools.chain.from_iterable(pairs))
