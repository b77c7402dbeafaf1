"""Loads a backup into a database without rows, and brings that up to date.

The file is read through before anything is changed. A database that has rows is refused, unless it
is to be replaced; what it had is then gone. Accounts, rights and pending migrations follow.
"""

import argparse
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import IO

import pymysql

from db import server_tools
from db.backup import COMPLETE, WAIT_SECONDS
from db.connection import DatabaseError, DatabaseSettings, administrator, exclusive, is_mariadb
from db.migrate import migrate
from service_kit.settings import SettingsError

_EXAMPLES = """
Settings come from the environment, the same as for python -m db.migrate (db/.env.example).

examples:
  scripts/restore nightly.sql.gz             into a database that is not there, or has no rows
  scripts/restore --replace nightly.sql.gz   into one that has some: they are lost
"""
_HEAD_BYTES, _TAIL_BYTES, _CHUNK_BYTES = 4096, 4096, 1024 * 1024
# MariaDB's dumps begin so; MySQL's client takes it for a mistake.
_SANDBOX = b"/*M!999999"
_MIGRATIONS = "schema_migrations"


def restore(settings: DatabaseSettings, file: Path, *, replace: bool = False) -> None:
    """Make the database what it was when the file was written.

    Raises:
        DatabaseError: the file is no whole backup, or another maker's; the database has rows; or
            loading failed, and the database is not to be used.
    """
    of_mariadb = check(file)
    with administrator(settings, WAIT_SECONDS) as connection:
        if is_mariadb(connection) != of_mariadb:
            raise DatabaseError(f"{file} comes from the other kind of server (MySQL or MariaDB)")
        client = server_tools.require(server_tools.CLIENT, for_mariadb=of_mariadb)
        with exclusive(connection, settings.database), connection.cursor() as cursor:
            if not replace and (table := _table_with_rows(cursor, settings.database)):
                raise DatabaseError(
                    f"{settings.database} has rows (in {table}): --replace forgets them"
                )
            _make_empty(cursor, settings.database)
            _load(settings, client, file)
    migrate(settings, wait_seconds=WAIT_SECONDS)


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


def _table_with_rows(cursor: pymysql.cursors.Cursor, database: str) -> str | None:
    cursor.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = %s", (database,)
    )
    for (table,) in cursor.fetchall():
        if table != _MIGRATIONS:
            cursor.execute(f"SELECT 1 FROM `{database}`.`{table}` LIMIT 1")  # noqa: S608  # names
            if cursor.fetchone():
                return str(table)
    return None


def _make_empty(cursor: pymysql.cursors.Cursor, database: str) -> None:
    cursor.execute(f"DROP DATABASE IF EXISTS `{database}`")
    cursor.execute(f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")


def _load(settings: DatabaseSettings, client: server_tools.Tool, file: Path) -> None:
    with server_tools.options(client, settings) as access, tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            [client.path, access, settings.database],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
        )
        assert process.stdin is not None  # noqa: S101
        # What it stumbled over is in its complaints.
        with suppress(BrokenPipeError), process, gzip.open(file) as stream:
            _feed(stream, process.stdin, client)
        complaints.seek(0)
        if process.returncode != 0:
            raise DatabaseError(
                f"loading failed, and {settings.database} is not to be used:"
                f" {complaints.read().decode(errors='replace')}"
            )


def _feed(stream: gzip.GzipFile, program: IO[bytes], client: server_tools.Tool) -> None:
    first = stream.readline()
    if client.is_mariadb or not first.startswith(_SANDBOX):
        program.write(first)
    shutil.copyfileobj(stream, program, _CHUNK_BYTES)


def main() -> int:
    """Restore the database that the environment names."""
    parser = argparse.ArgumentParser(
        prog="scripts/restore",
        description=__doc__,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, help="what scripts/backup wrote")
    parser.add_argument("--replace", action="store_true", help="forget the rows that are there")
    arguments = parser.parse_args()
    try:
        settings = DatabaseSettings.from_environment(os.environ)
        restore(settings, arguments.file, replace=arguments.replace)
    except (DatabaseError, SettingsError, OSError, pymysql.err.Error) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    print(f"{settings.database} is restored from {arguments.file}, and up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
