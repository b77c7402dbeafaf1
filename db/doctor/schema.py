"""What holds for the schema: what guards the rows is there, as db/schema.sql has it."""

from collections.abc import Iterable
from pathlib import Path

from db.doctor.findings import Check, Connection, Finding, rows
from db.doctor.guards import present, written

_MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def _missing_guards(connection: Connection) -> Iterable[Finding]:
    ((database,),) = rows(connection, "SELECT DATABASE()")
    there = present(connection, str(database))
    for (table, kind, name), guard in written().items():
        if there.get((table, kind, name)) != guard:
            yield Finding(f"{kind} {name} of {table}")


def _migrations_not_run(connection: Connection) -> Iterable[Finding]:
    done = {
        str(version) for (version,) in rows(connection, "SELECT version FROM schema_migrations")
    }
    for file in sorted(_MIGRATIONS.glob("*.sql")):
        if file.name.partition("_")[0] not in done:
            yield Finding(file.name)


SCHEMA_CHECKS = (
    Check("columns, constraints, keys and indexes are those of db/schema.sql", _missing_guards),
    Check("a migration of this version has been run", _migrations_not_run),
)
