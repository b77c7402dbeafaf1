"""Loads the example data, db/seed.sql, into a migrated database that has no rows yet."""

import sys
from contextlib import closing
from pathlib import Path

import pymysql

from db import commands
from db.accounts import migrator
from db.connection import DatabaseError, DatabaseSettings, connect, exclusive

SEED = Path(__file__).resolve().parent / "seed.sql"

_EXAMPLES = """
scripts/seed                     load db/seed.sql
scripts/seed --file more.sql     load another file of SQL statements
scripts/seed --size 100000       big data instead: made-up customers, so many, and more
"""


def seed(settings: DatabaseSettings, file: Path = SEED) -> int:
    """Load the file's statements, all of them or none, and return their number.

    A database with customers or products is left alone: 0 statements.

    Raises:
        DatabaseError: a statement failed; nothing of the file stays.
    """
    account = migrator(settings)
    connection = connect(settings, account.name, account.password, settings.database)
    with closing(connection), exclusive(connection, settings.database):
        if _has_rows(connection):
            return 0
        connection.begin()
        statements = _execute_all(connection, file.read_text(encoding="utf-8"))
        connection.commit()
    return statements


def _has_rows(connection: "pymysql.Connection[pymysql.cursors.Cursor]") -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM customers) OR EXISTS (SELECT 1 FROM products)")
        (found,) = cursor.fetchone() or (0,)
        return bool(found)


def _execute_all(connection: "pymysql.Connection[pymysql.cursors.Cursor]", statements: str) -> int:
    number = 1
    with connection.cursor() as cursor:
        try:
            cursor.execute(statements)
            # Each statement has a result of its own, and an error shows up with it.
            while cursor.nextset():
                number += 1
        except pymysql.err.Error as failure:
            raise DatabaseError(f"statement {number} of the file failed: {failure}") from failure
    return number


def main() -> int:
    """Load the first data into the database that the environment names."""
    parser = commands.parser("scripts/seed", __doc__, _EXAMPLES)
    parser.add_argument("--file", type=Path, default=SEED, help="instead of db/seed.sql")
    file: Path = parser.parse_args().file

    def work(settings: DatabaseSettings) -> int:
        statements = seed(settings, file)
        if statements:
            print(f"{file.name} is in {settings.database} ({statements} statements)")
        else:
            print(f"{settings.database} has rows already: nothing was loaded")
        return 0

    return commands.run(work)


if __name__ == "__main__":
    sys.exit(main())
