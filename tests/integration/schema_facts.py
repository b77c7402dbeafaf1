"""What a server says of a database: its tables, columns, indexes, keys and constraints."""

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

FACTS = {
    "tables": "SELECT table_name, engine, table_collation FROM tables WHERE table_schema = %s",
    "columns": (
        "SELECT table_name, column_name, ordinal_position, column_type, is_nullable,"
        " column_default, extra, generation_expression, character_set_name, collation_name"
        " FROM columns WHERE table_schema = %s"
    ),
    "indexes": (
        "SELECT table_name, index_name, seq_in_index, column_name, non_unique, index_type,"
        " sub_part, collation FROM statistics WHERE table_schema = %s"
    ),
    "keys": (
        "SELECT table_name, constraint_name, ordinal_position, column_name,"
        " referenced_table_name, referenced_column_name, position_in_unique_constraint"
        " FROM key_column_usage WHERE table_schema = %s"
    ),
    "foreign keys": (
        "SELECT table_name, constraint_name, referenced_table_name, unique_constraint_name,"
        " update_rule, delete_rule FROM referential_constraints WHERE constraint_schema = %s"
    ),
    "constraints": (
        "SELECT table_name, constraint_name, constraint_type"
        " FROM table_constraints WHERE constraint_schema = %s"
    ),
    "checks": (
        "SELECT constraint_name, check_clause FROM check_constraints WHERE constraint_schema = %s"
    ),
}


def facts_of(database: TestDatabase, about: str) -> list[tuple[object, ...]]:
    """Return what the server says of a database, except for dbmate's own table."""
    with database.connect("information_schema") as connection, connection.cursor() as cursor:
        cursor.execute(FACTS[about], (database.admin.database,))
        rows = [row for row in cursor.fetchall() if "schema_migrations" not in row]
    return sorted(rows, key=repr)
