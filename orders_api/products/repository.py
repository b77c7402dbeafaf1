"""The SQL of products."""

from typing import Any

from orders_api.products.rules import Product, terms
from service_kit.database_connections import Connection
from service_kit.search import SearchedTable, search_text

_COLUMNS = "id, sku, name, price_cents, stock, version, created_at, updated_at"

SKU_KEY = "products_sku_key"

_SEARCHED = SearchedTable(
    table="products",
    columns=_COLUMNS,
    terms="product_terms",
    reference="product_id",
    walked_index="PRIMARY",
)


async def get(connection: Connection, product_id: int) -> Product | None:
    """Return a product."""
    row = await connection.fetch_one(
        f"SELECT {_COLUMNS} FROM products WHERE id = %s",
        product_id,
    )
    return Product(*row) if row else None


async def lock(connection: Connection, product_id: int) -> Product | None:
    """Return a product and keep others from changing it until the transaction ends."""
    row = await connection.fetch_one(
        f"SELECT {_COLUMNS} FROM products WHERE id = %s FOR UPDATE",
        product_id,
    )
    return Product(*row) if row else None


async def page(
    connection: Connection, search: str | None, before_id: int, rows: int
) -> list[Product]:
    """Return products newest first, from below an id on."""
    found = await _SEARCHED.page(connection, search, before_id, rows)
    return [Product(*row) for row in found]


async def insert(connection: Connection, sku: str, name: str, price_cents: int, stock: int) -> int:
    """Write a new product and its words; return its id.

    Raises:
        Duplicate: the SKU is taken.
    """
    found_by = terms(sku, name)
    _, product_id = await connection.execute(
        "INSERT INTO products (sku, name, price_cents, stock, search_text, created_at, updated_at)"
        " VALUES (%s, %s, %s, %s, %s, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))",
        sku,
        name,
        price_cents,
        stock,
        search_text(found_by),
    )
    await _SEARCHED.replace_terms(connection, product_id, found_by, is_new=True)
    return product_id


async def update(connection: Connection, product_id: int, columns: dict[str, Any]) -> None:
    """Write name, price_cents and stock, those that are given."""
    assignments = "".join(f"{column} = %s, " for column in columns)
    await connection.execute(
        f"UPDATE products SET {assignments}version = version + 1,"
        " updated_at = UTC_TIMESTAMP(3) WHERE id = %s",
        *columns.values(),
        product_id,
    )


async def update_words(connection: Connection, product_id: int, sku: str, name: str) -> None:
    """Write the words that find a product, after its name has changed."""
    found_by = terms(sku, name)
    await connection.execute(
        "UPDATE products SET search_text = %s WHERE id = %s", search_text(found_by), product_id
    )
    await _SEARCHED.replace_terms(connection, product_id, found_by)
