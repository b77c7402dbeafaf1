"""Loads made-up rows fast: statements of thousands of rows, each table in the order of its key."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

import pymysql
from tqdm import tqdm

from benchmark import rows
from benchmark.rows import Found, OrderMaker, Row

CHUNK = 50_000
"""Rows of one transaction. Their words are sorted first: the table of terms is filled a chunk at a
time from its beginning to its end, which is much faster than here and there."""

STATEMENT = 2_000
"""Rows of one statement: some 200 kB."""

UNDER_WAY = 1_000
"""Orders that clients who are gone may have asked for: their ids are left to them."""

Connection: TypeAlias = "pymysql.Connection[pymysql.cursors.Cursor]"

_CUSTOMERS = "customers (id, name, email, phone, search_text)"
_PRODUCTS = "products (id, sku, name, price_cents, stock, search_text)"
_ORDERS = (
    "orders (id, customer_id, status, total_cents, version, created_at, confirmed_at, canceled_at)"
)
_ITEMS = "order_items (order_id, product_id, qty, unit_price_cents, subtotal_cents)"
# An order takes units of its products, and a canceled one gives them back: each is a change. Left
# to itself, the server would read the items of all orders in the order of their products.
_COUNT_MOVES = (
    "UPDATE products JOIN (SELECT product_id, COUNT(*) + SUM(canceled_at IS NOT NULL) AS moves"
    " FROM orders FORCE INDEX (PRIMARY)"
    " STRAIGHT_JOIN order_items FORCE INDEX (order_items_order_product) ON order_id = orders.id"
    " WHERE orders.id BETWEEN %s AND %s"
    " GROUP BY product_id) AS moved ON product_id = products.id SET version = version + moves"
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The ids of what was loaded."""

    customers: range
    products: range
    orders: range


def load(connection: Connection, size: int) -> Loaded:
    """Add ``size`` customers, a tenth of that of products, and twice as many orders of 3 items.

    A chunk is there with its words and items, or not at all.
    """
    customers = _free_ids(connection, "customers", size)
    products = _free_ids(connection, "products", max(size // 10, rows.ITEMS))
    orders = _free_ids(connection, "orders", 2 * size)
    _load_found(
        connection, customers, rows.customer, _CUSTOMERS, "customer_terms (term, customer_id)"
    )
    _load_found(connection, products, rows.product, _PRODUCTS, "product_terms (term, product_id)")
    load_orders(connection, OrderMaker(customers, products, orders, _now()))
    return Loaded(customers, products, orders)


def add_orders(connection: Connection, loaded: Loaded, count: int) -> range:
    """Add orders in CREATED and return their ids; the API may be writing some as well."""
    orders = _free_ids(connection, "orders", count, past=UNDER_WAY)
    _reserve(connection, orders, loaded)
    maker = OrderMaker(loaded.customers, loaded.products, orders, _now(), status="CREATED")
    load_orders(connection, maker, quietly=True)
    return orders


def load_orders(connection: Connection, maker: OrderMaker, *, quietly: bool = False) -> None:
    """Write the orders and their items; each counts as a change of its products."""
    for chunk in _chunks(maker.orders, "orders", quietly=quietly):
        made = [maker.order(number) for number in chunk]
        with _transaction(connection) as cursor:
            _insert(cursor, _ORDERS, (order for order, _ in made))
            _insert(cursor, _ITEMS, itertools.chain.from_iterable(items for _, items in made))
            cursor.execute(_COUNT_MOVES, (chunk[0], chunk[-1]))


def _load_found(
    connection: Connection, ids: range, make: Callable[[int], Found], table: str, terms: str
) -> None:
    for chunk in _chunks(ids, table.partition(" ")[0]):
        made = [(number, make(number)) for number in chunk]
        words = sorted((term, number) for number, found in made for term in found.terms)
        with _transaction(connection) as cursor:
            _insert(cursor, table, (found.row for _, found in made))
            _insert(cursor, terms, words)


def _chunks(ids: range, what: str, *, quietly: bool = False) -> Iterator[range]:
    """Return ranges of ids, showing on the terminal how far they are used up."""
    with tqdm(total=len(ids), desc=f"  {what}", unit=" rows", disable=quietly) as bar:
        for start in range(ids.start, ids.stop, CHUNK):
            chunk = range(start, min(start + CHUNK, ids.stop))
            yield chunk
            bar.update(len(chunk))


@contextmanager
def _transaction(connection: Connection) -> Iterator[pymysql.cursors.Cursor]:
    connection.begin()
    with connection.cursor() as cursor:
        # The rows fit together by the way in which they are made: looking each reference up again
        # would double the time.
        cursor.execute("SET SESSION foreign_key_checks = 0, unique_checks = 0")
        yield cursor
        cursor.execute("SET SESSION foreign_key_checks = 1, unique_checks = 1")
    connection.commit()


def _insert(cursor: pymysql.cursors.Cursor, table: str, made: Iterable[Row]) -> None:
    values = map(_literal, made)
    while statement := ",".join(itertools.islice(values, STATEMENT)):
        cursor.execute(f"INSERT INTO {table} VALUES {statement}")


def _literal(row: Row) -> str:
    """Return a row as SQL; the driver's own way with parameters takes three times as long."""
    return "(" + ",".join("NULL" if value is None else repr(value) for value in row) + ")"


def _free_ids(connection: Connection, table: str, count: int, past: int = 1) -> range:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COALESCE(MAX(id), 0) + {past} FROM {table}")
        (first,) = cursor.fetchone() or (past,)
    return range(first, first + count)


def _reserve(connection: Connection, orders: range, loaded: Loaded) -> None:
    """Have the server go on counting past these ids from now on."""
    last, customer = orders[-1], loaded.customers[0]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orders (id, customer_id, total_cents) VALUES (%s, %s, 0)", (last, customer)
        )
        cursor.execute("DELETE FROM orders WHERE id = %s", last)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
