"""Writes the whole database to a file: as it is at one moment, while the services go on.

What it makes is the server's own dump in one transaction, compressed. Accounts and their passwords
are not in it: db.migrate makes them where it is restored.
"""

import argparse
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pymysql

from db import server_tools
from db.connection import DatabaseError, DatabaseSettings, administrator, exclusive, is_mariadb
from service_kit.settings import SettingsError

WAIT_SECONDS = 5.0
COMPLETE = b"-- Dump completed"
"""The last line of a dump begins so; without it something is missing."""

_EXAMPLES = """
Settings come from the environment, the same as for python -m db.migrate (db/.env.example).

examples:
  scripts/backup                     backoffice-20260131T120000Z.sql.gz, in this folder
  scripts/backup nightly.sql.gz
"""
_OPTIONS = (
    # One snapshot of all tables; nobody waits for it.
    "--single-transaction",
    "--quick",
    # Bytes (keys, stored responses) as hexadecimal, so that no character set can change them.
    "--hex-blob",
    "--no-tablespaces",
    "--skip-add-drop-table",
    "--skip-add-locks",
)


def backup(settings: DatabaseSettings, file: Path) -> int:
    """Write the database to the file, and return the file's size in bytes.

    The file is there when it is complete, and readable for its owner alone.

    Raises:
        DatabaseError: the file is there already, or the dump failed.
    """
    if file.exists():
        raise DatabaseError(f"{file} is there already")
    with administrator(settings, WAIT_SECONDS) as connection:
        tool = server_tools.require(server_tools.DUMP, for_mariadb=is_mariadb(connection))
        # A migration in the middle of it would not be in the snapshot.
        with exclusive(connection, settings.database):
            _write(settings, tool, file)
    return file.stat().st_size


def _write(settings: DatabaseSettings, tool: server_tools.Tool, file: Path) -> None:
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    unfinished = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as raw:
            with gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=6) as stream:
                _dump(settings, tool, stream)
            raw.flush()
            os.fsync(raw.fileno())
        os.link(unfinished, file)
    finally:
        with suppress(FileNotFoundError):
            unfinished.unlink()


def _dump(settings: DatabaseSettings, tool: server_tools.Tool, stream: gzip.GzipFile) -> None:
    # MySQL's would leave the server's transaction ids in it, which another server must not take.
    own = () if tool.is_mariadb else ("--set-gtid-purged=OFF",)
    with server_tools.options(tool, settings) as access, tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            [tool.path, access, *_OPTIONS, *own, settings.database],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
        )
        with process:
            assert process.stdout is not None  # noqa: S101
            shutil.copyfileobj(process.stdout, stream, 1024 * 1024)
        complaints.seek(0)
        if process.returncode != 0:
            raise DatabaseError(f"the dump failed: {complaints.read().decode(errors='replace')}")


def main() -> int:
    """Back up the database that the environment names."""
    parser = argparse.ArgumentParser(
        prog="scripts/backup",
        description=__doc__,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, nargs="?", help="where to write it")
    arguments = parser.parse_args()
    try:
        settings = DatabaseSettings.from_environment(os.environ)
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        file = arguments.file or Path(f"{settings.database}-{moment}.sql.gz")
        size = backup(settings, file)
    except (DatabaseError, SettingsError, OSError, pymysql.err.Error) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    print(f"{settings.database} is in {file} ({size:,} bytes)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
