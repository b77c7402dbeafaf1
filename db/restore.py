"""Loads a backup in the place of a database without rows, and brings that up to date.

The file is read through, and loaded beside the database, before anything is changed. A database
that has rows is refused, unless it is to be replaced; what it had is then gone. Accounts, rights
and pending migrations follow.
"""

import gzip
import shutil
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace as changed
from pathlib import Path

import pymysql

from db import commands, server_tools
from db.backup import COMPLETE, WAIT_SECONDS
from db.connection import (
    DatabaseError,
    DatabaseSettings,
    administrator,
    exclusive,
    is_mariadb,
    kept_alive,
)
from db.migrate import migrate

_EXAMPLES = """
scripts/restore nightly.sql.gz             into a database that is not there, or has no rows
scripts/restore --replace nightly.sql.gz   into one that has some: they are lost
"""
_HEAD_BYTES, _TAIL_BYTES, _CHUNK_BYTES = 4096, 4096, 1024 * 1024
# MariaDB's dumps begin so; MySQL's client takes it for a mistake.
_SANDBOX = b"/*M!999999"
_MIGRATIONS = "schema_migrations"
_RENAME_SECONDS = 30
_LONGEST_NAME = 64


def restore(settings: DatabaseSettings, file: Path, *, replace: bool = False) -> None:
    """Make the database what it was when the file was written.

    Raises:
        DatabaseError: the file is no whole backup, or another maker's; the database has rows; or
            loading failed. The database is then as it was.
    """
    of_mariadb = check(file)
    aside, away = _beside(settings, "restoring"), _beside(settings, "replaced")
    with administrator(settings, WAIT_SECONDS) as connection:
        if is_mariadb(connection) != of_mariadb:
            raise DatabaseError(f"{file} comes from the other kind of server (MySQL or MariaDB)")
        client = server_tools.require(server_tools.CLIENT, for_mariadb=of_mariadb)
        with exclusive(connection, settings.database), connection.cursor() as cursor:
            if not replace and (table := _table_with_rows(cursor, settings.database)):
                raise DatabaseError(
                    f"{settings.database} has rows (in {table}): --replace forgets them"
                )
            with _made_for_now(cursor, aside.database):
                with kept_alive(connection, settings.database):
                    _load(aside, client, file)
                _make_empty(cursor, away.database)
                _swap(cursor, aside.database, settings.database, away.database)
            are_kept = not replace and _table_with_rows(cursor, away.database) is not None
            if not are_kept:
                _drop(cursor, away.database)
    migrate(settings, wait_seconds=WAIT_SECONDS)
    if are_kept:
        raise DatabaseError(
            f"{settings.database} is restored, but rows had come to it meanwhile:"
            f" they are in {away.database}"
        )


def check(file: Path) -> bool:
    """Read a backup through; say whether it comes from MariaDB.

    Raises:
        DatabaseError: it is damaged, cut off, or no backup at all.
    """
    try:
        with gzip.open(file) as stream:
            head = tail = stream.read(_HEAD_BYTES)
            while chunk := stream.read(_CHUNK_BYTES):
                tail = (tail + chunk)[-_TAIL_BYTES:]
    except (OSError, EOFError, zlib.error) as error:
        raise DatabaseError(f"{file} is no whole backup: {error}") from error
    versions = [line for line in head.splitlines() if line.startswith(b"-- Server version")]
    if not versions or COMPLETE not in tail:
        raise DatabaseError(f"{file} is no whole backup: its beginning or its end is missing")
    return b"MariaDB" in versions[0]


def _beside(settings: DatabaseSettings, suffix: str) -> DatabaseSettings:
    """Return the settings of another database on the same server."""
    name = settings.database[: _LONGEST_NAME - len(suffix) - 1]
    return changed(settings, database=f"{name}_{suffix}")


def _table_with_rows(cursor: pymysql.cursors.Cursor, database: str) -> str | None:
    for table in _tables(cursor, database):
        if table != _MIGRATIONS:
            cursor.execute(f"SELECT 1 FROM `{database}`.`{table}` LIMIT 1")  # noqa: S608  # names
            if cursor.fetchone():
                return table
    return None


def _tables(cursor: pymysql.cursors.Cursor, database: str) -> Sequence[str]:
    cursor.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = %s"
        " ORDER BY table_name",
        (database,),
    )
    return [str(table) for (table,) in cursor.fetchall()]


@contextmanager
def _made_for_now(cursor: pymysql.cursors.Cursor, database: str) -> Iterator[None]:
    """Make a database for the block: no service has rights there, so nothing else comes into it."""
    _make_empty(cursor, database)
    try:
        yield
    finally:
        # Without a connection it stays until the next restore.
        with suppress(pymysql.err.Error):
            _drop(cursor, database)


def _make_empty(cursor: pymysql.cursors.Cursor, database: str) -> None:
    _drop(cursor, database)
    cursor.execute(f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")


def _drop(cursor: pymysql.cursors.Cursor, database: str) -> None:
    cursor.execute(f"DROP DATABASE IF EXISTS `{database}`")


def _swap(cursor: pymysql.cursors.Cursor, new: str, current: str, old: str) -> None:
    """Put the new database's tables in the place of the current one's, all at one moment."""
    cursor.execute(
        f"CREATE DATABASE IF NOT EXISTS `{current}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
    )
    moves = [(current, table, old) for table in _tables(cursor, current)]
    moves += [(new, table, current) for table in _tables(cursor, new)]
    renaming = ", ".join(f"`{source}`.`{table}` TO `{to}`.`{table}`" for source, table, to in moves)
    # It waits for the services' transactions; theirs are short, somebody else's may not be.
    cursor.execute(f"SET SESSION lock_wait_timeout = {_RENAME_SECONDS}")
    try:
        cursor.execute(f"RENAME TABLE {renaming}")
    except pymysql.err.Error as failure:
        raise DatabaseError(
            f"nothing was changed, for the tables could not be exchanged: {failure.args[-1]}"
        ) from failure


def _load(settings: DatabaseSettings, client: server_tools.Tool, file: Path) -> None:
    arguments = (settings.database,)
    try:
        with (
            gzip.open(file) as stream,
            server_tools.running(client, settings, arguments, is_fed=True) as program,
        ):
            first = stream.readline()
            if client.is_mariadb or not first.startswith(_SANDBOX):
                program.write(first)
            shutil.copyfileobj(stream, program, _CHUNK_BYTES)
    except DatabaseError as failure:
        raise DatabaseError(f"nothing was changed, for loading failed: {failure}") from failure


def main() -> int:
    """Restore the database that the environment names."""
    parser = commands.parser("scripts/restore", __doc__, _EXAMPLES)
    parser.add_argument("file", type=Path, help="what scripts/backup wrote")
    parser.add_argument("--replace", action="store_true", help="forget the rows that are there")
    arguments = parser.parse_args()

    def work(settings: DatabaseSettings) -> int:
        restore(settings, arguments.file, replace=arguments.replace)
        print(f"{settings.database} is restored from {arguments.file}, and up to date")
        return 0

    return commands.run(work)


if __name__ == "__main__":
    sys.exit(main())
