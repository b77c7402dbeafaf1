"""Brings the database up to date: the database itself, its accounts, migrations, rights.

Safe to run again, and from several processes at once: one acts, the others wait.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from db import commands
from db.accounts import create_accounts, grant_tables, migrator
from db.connection import DatabaseError, DatabaseSettings, administrator, exclusive

MIGRATIONS = Path(__file__).resolve().parent / "migrations"
WAIT_SECONDS = 60.0

_EXAMPLES = """
scripts/migrate             wait for the server up to a minute, then migrate
scripts/migrate --wait 5    give up after five seconds
"""


def migrate(
    settings: DatabaseSettings,
    migrations: Path = MIGRATIONS,
    wait_seconds: float = WAIT_SECONDS,
) -> str:
    """Bring the database up to date and return what dbmate printed.

    Raises:
        DatabaseError: the server is not to be had, or a migration failed.
    """
    with (
        administrator(settings, wait_seconds) as connection,
        exclusive(connection, settings.database),
        connection.cursor() as cursor,
    ):
        # Compared byte for byte, unless a column says otherwise.
        cursor.execute(
            f"CREATE DATABASE IF NOT EXISTS `{settings.database}`"
            " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
        )
        create_accounts(cursor, settings)
        applied = _run_dbmate(settings, migrations)
        grant_tables(cursor, settings)
    return applied


def database_url(settings: DatabaseSettings) -> str:
    """Return the migrator's URL as dbmate takes it; it holds the password."""
    account = migrator(settings)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    login = f"{quote(account.name, safe='')}:{quote(account.password, safe='')}"
    tls = "?tls=true" if settings.tls else ""
    return f"mysql://{login}@{host}:{settings.port}/{quote(settings.database, safe='')}{tls}"


def _run_dbmate(settings: DatabaseSettings, migrations: Path) -> str:
    # By the environment, never on the command line, which everybody on the machine can read.
    variables = {"DATABASE_URL": database_url(settings), "PATH": os.environ.get("PATH", "")}
    if settings.tls_authority:
        variables["SSL_CERT_FILE"] = settings.tls_authority
    command = [_dbmate(), "--migrations-dir", str(migrations), "--no-dump-schema", "migrate"]
    done = subprocess.run(
        # From its own folder: dbmate would read a file called .env in the caller's.
        command,
        cwd=migrations,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    printed = (done.stdout + done.stderr).strip()
    if done.returncode != 0:
        raise DatabaseError(f"a migration failed: {printed}")
    return printed


def _dbmate() -> str:
    beside_python = Path(sys.executable).with_name("dbmate")
    program = str(beside_python) if beside_python.exists() else shutil.which("dbmate")
    if program is None:
        raise DatabaseError("dbmate is not installed: it comes with requirements/db.txt")
    return program


def main() -> int:
    """Migrate the database that the environment names."""
    parser = commands.parser("scripts/migrate", __doc__, _EXAMPLES)
    parser.add_argument(
        "--wait", type=float, default=WAIT_SECONDS, metavar="SECONDS", help="for the server"
    )
    wait_seconds: float = parser.parse_args().wait

    def work(settings: DatabaseSettings) -> int:
        applied = migrate(settings, wait_seconds=wait_seconds)
        print(applied or "no migration was pending")
        print(f"{settings.database} on {settings.host}:{settings.port} is up to date")
        return 0

    return commands.run(work)


if __name__ == "__main__":
    sys.exit(main())
