"""Writes the whole database to a file: as it is at one moment, while the services go on.

What it makes is the server's own dump in one transaction, compressed. Accounts and their passwords
are not in it: db.migrate makes them where it is restored.
"""

import gzip
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from db import commands, server_tools
from db.connection import (
    DatabaseError,
    DatabaseSettings,
    administrator,
    exclusive,
    is_mariadb,
    kept_alive,
)
from db.whole_files import whole_file

WAIT_SECONDS = 5.0
COMPLETE = b"-- Dump completed"
"""The last line of a dump begins so; without it something is missing."""

_EXAMPLES = """
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
        with (
            exclusive(connection, settings.database),
            whole_file(file) as raw,
            gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=6) as stream,
            kept_alive(connection, settings.database),
        ):
            _dump(settings, tool, stream)
    return file.stat().st_size


def _dump(settings: DatabaseSettings, tool: server_tools.Tool, stream: gzip.GzipFile) -> None:
    # MySQL's would leave the server's transaction ids in it, which another server must not take.
    own = () if tool.is_mariadb else ("--set-gtid-purged=OFF",)
    arguments = (*_OPTIONS, *own, settings.database)
    with server_tools.running(tool, settings, arguments) as printed:
        shutil.copyfileobj(printed, stream, 1024 * 1024)


def main() -> int:
    """Back up the database that the environment names."""
    parser = commands.parser("scripts/backup", __doc__, _EXAMPLES)
    parser.add_argument("file", type=Path, nargs="?", help="where to write it")
    given: Path | None = parser.parse_args().file

    def work(settings: DatabaseSettings) -> int:
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        file = given or Path(f"{settings.database}-{moment}.sql.gz")
        size = backup(settings, file)
        print(f"{settings.database} is in {file} ({size:,} bytes)")
        return 0

    return commands.run(work)


if __name__ == "__main__":
    sys.exit(main())
