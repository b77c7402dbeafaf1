"""What a server says of a database: its tables, columns, indexes, keys and constraints."""

from db.connection import is_mariadb
from db.doctor.findings import Connection, rows

MIGRATIONS = "schema_migrations"

FACTS = {
    "tables": (
        "SELECT table_name, engine, table_collation FROM information_schema.tables"
        " WHERE table_schema = %s"
    ),
    "columns": (
        "SELECT table_name, column_name, column_type, is_nullable, collation_name, extra,"
        " ordinal_position, column_default, generation_expression, character_set_name"
        " FROM information_schema.columns WHERE table_schema = %s"
    ),
    "indexes": (
        "SELECT table_name, index_name, seq_in_index, column_name, non_unique, index_type,"
        " sub_part, collation FROM information_schema.statistics WHERE table_schema = %s"
    ),
    "keys": (
        "SELECT table_name, constraint_name, ordinal_position, column_name,"
        " referenced_table_name, referenced_column_name, referenced_table_schema = table_schema,"
        " position_in_unique_constraint FROM information_schema.key_column_usage"
        " WHERE table_schema = %s"
    ),
    "foreign keys": (
        "SELECT table_name, constraint_name, referenced_table_name, unique_constraint_name,"
        " update_rule, delete_rule FROM information_schema.referential_constraints"
        " WHERE constraint_schema = %s"
    ),
    "constraints": (
        "SELECT table_name, constraint_name, constraint_type"
        " FROM information_schema.table_constraints WHERE constraint_schema = %s"
    ),
    "checks": (
        "SELECT constraint_name, check_clause FROM information_schema.check_constraints"
        " WHERE constraint_schema = %s"
    ),
}
"""By what they are about."""

# MySQL's alone can be there without being obeyed.
_NOT_ENFORCED = (
    "SELECT constraint_name FROM information_schema.table_constraints"
    " WHERE constraint_schema = %s AND enforced = 'NO'"
)


def facts(connection: Connection, database: str, about: str) -> list[tuple[object, ...]]:
    """Return the rows of one query, except for those about dbmate's own table."""
    return [row for row in rows(connection, FACTS[about], database) if row[0] != MIGRATIONS]


def not_enforced(connection: Connection, database: str) -> set[str]:
    """Return the names of constraints that are there, and are not obeyed."""
    if is_mariadb(connection):
        return set()
    return {str(name) for (name,) in rows(connection, _NOT_ENFORCED, database)}
