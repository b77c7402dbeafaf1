"""What a server says of a database: its tables, columns, indexes, keys and constraints."""

from db.doctor.facts import facts
from tests.database_servers import TestDatabase

TABLES = [
    "customers",
    "customer_terms",
    "products",
    "product_terms",
    "orders",
    "order_items",
    "idempotency_keys",
]


def facts_of(database: TestDatabase, about: str) -> list[tuple[object, ...]]:
    """Return what the server says of a database, except for dbmate's own table."""
    with database.connect() as connection:
        return sorted(facts(connection, database.admin.database, about), key=repr)
