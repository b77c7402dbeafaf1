"""What holds for the schema: what guards the rows is there, as db/schema.sql has it."""

import re
from collections.abc import Iterable
from pathlib import Path

from db.doctor.findings import Check, Connection, Finding, rows

_DB = Path(__file__).resolve().parent.parent
_TABLE = re.compile(r"^CREATE TABLE (\w+) \((.*?)^\)", re.MULTILINE | re.DOTALL)
_GUARD = re.compile(r"^ +(?:CONSTRAINT|UNIQUE KEY|KEY) (\w+)", re.MULTILINE)

_PRESENT = (
    "SELECT table_name, constraint_name FROM information_schema.table_constraints"
    " WHERE table_schema = DATABASE() UNION"
    " SELECT table_name, index_name FROM information_schema.statistics"
    " WHERE table_schema = DATABASE()"
)


def _missing_guards(connection: Connection) -> Iterable[Finding]:
    present = {(str(table), str(name)) for table, name in rows(connection, _PRESENT)}
    schema = (_DB / "schema.sql").read_text("utf-8")
    for table, definition in _TABLE.findall(schema):
        for name in _GUARD.findall(definition):
            if (table, name) not in present:
                yield Finding(f"{name} of {table}")


def _migrations_not_run(connection: Connection) -> Iterable[Finding]:
    done = {
        str(version) for (version,) in rows(connection, "SELECT version FROM schema_migrations")
    }
    for file in sorted((_DB / "migrations").glob("*.sql")):
        if file.name.partition("_")[0] not in done:
            yield Finding(file.name)


SCHEMA_CHECKS = (
    Check("constraints, keys and indexes are those of db/schema.sql", _missing_guards),
    Check("a migration of this version has been run", _migrations_not_run),
)
