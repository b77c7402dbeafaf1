"""The SQL of customers."""

from typing import Any

from customers_api.rules import Customer, CustomerDetails
from service_kit.database_connections import Connection
from service_kit.search import SearchedTable, search_text

_COLUMNS = "id, name, email, phone, version, created_at, updated_at"

EMAIL_KEY = "customers_live_email"

_SEARCHED = SearchedTable(
    table="customers",
    columns=_COLUMNS,
    terms="customer_terms",
    reference="customer_id",
    walked_index="customers_living",
    living="deleted_at IS NULL",
)


async def get(connection: Connection, customer_id: int) -> Customer | None:
    """Return a customer that is not deleted."""
    row = await connection.fetch_one(
        f"SELECT {_COLUMNS} FROM customers WHERE id = %s AND deleted_at IS NULL",
        customer_id,
    )
    return _customer(row) if row else None


async def lock(connection: Connection, customer_id: int) -> Customer | None:
    """Return a customer and keep others from changing it until the transaction ends."""
    row = await connection.fetch_one(
        f"SELECT {_COLUMNS} FROM customers WHERE id = %s AND deleted_at IS NULL FOR UPDATE",
        customer_id,
    )
    return _customer(row) if row else None


async def page(
    connection: Connection, search: str | None, before_id: int, rows: int
) -> list[Customer]:
    """Return customers newest first, from below an id on."""
    found = await _SEARCHED.page(connection, search, before_id, rows)
    return [_customer(row) for row in found]


async def insert(connection: Connection, details: CustomerDetails) -> int:
    """Write a new customer and its words; return its id.

    Raises:
        Duplicate: the e-mail is taken.
    """
    terms = details.terms()
    _, customer_id = await connection.execute(
        "INSERT INTO customers (name, email, phone, search_text, created_at, updated_at)"
        " VALUES (%s, %s, %s, %s, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))",
        details.name,
        details.email,
        details.phone,
        search_text(terms),
    )
    await _SEARCHED.replace_terms(connection, customer_id, terms, is_new=True)
    return customer_id


async def update(connection: Connection, customer_id: int, details: CustomerDetails) -> None:
    """Replace what is said of a customer, and its words.

    Raises:
        Duplicate: the e-mail is taken.
    """
    terms = details.terms()
    await connection.execute(
        "UPDATE customers SET name = %s, email = %s, phone = %s, search_text = %s,"
        " version = version + 1, updated_at = UTC_TIMESTAMP(3) WHERE id = %s",
        details.name,
        details.email,
        details.phone,
        search_text(terms),
        customer_id,
    )
    await _SEARCHED.replace_terms(connection, customer_id, terms)


async def mark_deleted(connection: Connection, customer_id: int) -> None:
    """Delete a customer softly: the row stays for its orders, its words go."""
    await connection.execute(
        "UPDATE customers SET deleted_at = UTC_TIMESTAMP(3), version = version + 1 WHERE id = %s",
        customer_id,
    )
    await _SEARCHED.replace_terms(connection, customer_id, [])


def _customer(row: tuple[Any, ...]) -> Customer:
    customer_id, name, email, phone, version, created_at, updated_at = row
    details = CustomerDetails(name, email, phone)
    return Customer(customer_id, details, version, created_at, updated_at)
