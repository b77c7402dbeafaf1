"""Database servers for tests: an embedded one, and MySQL 9.7 in a container."""

import functools
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pymysql

from db.connection import DatabaseSettings as AdminSettings
from db.migrate import migrate
from local_system.database import DatabaseServer, temporary_server

MYSQL_IMAGE = "mysql:9.7"
START_SECONDS = 120
EMBEDDED = "embedded"
CONTAINER = "mysql-9.7"


def available() -> list[str]:
    """Return the servers that this machine can run; TEST_DATABASES (a list) chooses among them."""
    there = [EMBEDDED, *([CONTAINER] if _has_container_engine() else [])]
    wanted = os.environ.get("TEST_DATABASES", ",".join(there)).split(",")
    return [name for name in there if name in wanted]


@contextmanager
def server(name: str, folder: Path) -> Iterator[DatabaseServer]:
    """Run one of the servers."""
    running = _container() if name == CONTAINER else temporary_server(folder)
    with running as database_server:
        yield database_server


@dataclass(frozen=True, slots=True)
class TestDatabase:
    """A migrated database of a test run, with accounts of its own."""

    __test__ = False

    admin: AdminSettings

    def variables(self, account: str, password: str) -> dict[str, str]:
        """Return what a service reads to connect."""
        return {
            "MYSQL_HOST": self.admin.host,
            "MYSQL_PORT": str(self.admin.port),
            "MYSQL_DATABASE": self.admin.database,
            "MYSQL_USER": account + self.admin.account_suffix,
            "MYSQL_PASSWORD": password,
        }

    def customers_variables(self) -> dict[str, str]:
        """Return the Customers API's connection."""
        return self.variables("customers_service", self.admin.customers_password)

    def orders_variables(self) -> dict[str, str]:
        """Return the Orders API's connection."""
        return self.variables("orders_service", self.admin.orders_password)

    def set_up_variables(self) -> dict[str, str]:
        """Return what the programs of `db` read."""
        return {
            "MYSQL_HOST": self.admin.host,
            "MYSQL_PORT": str(self.admin.port),
            "MYSQL_DATABASE": self.admin.database,
            "MYSQL_ADMIN_USER": self.admin.admin_user,
            "MYSQL_ADMIN_PASSWORD": self.admin.admin_password,
            "MIGRATOR_MYSQL_PASSWORD": self.admin.migrator_password,
            "CUSTOMERS_MYSQL_PASSWORD": self.admin.customers_password,
            "ORDERS_MYSQL_PASSWORD": self.admin.orders_password,
            "ACCOUNT_SUFFIX": self.admin.account_suffix,
        }

    def connect(self, database: str | None = None) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        """Connect as the administrator, with autocommit."""
        return pymysql.connect(
            host=self.admin.host,
            port=self.admin.port,
            user=self.admin.admin_user,
            password=self.admin.admin_password,
            database=database or self.admin.database,
            autocommit=True,
            charset="utf8mb4",
            init_command="SET time_zone = '+00:00'",
        )

    def query(self, sql: str, *parameters: object) -> list[tuple[object, ...]]:
        """Run one statement as the administrator; return its rows."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall())


def create_database(on: DatabaseServer) -> TestDatabase:
    """Create and migrate a database with a fresh name."""
    mark = secrets.token_hex(4)
    admin = AdminSettings(
        host=on.host,
        port=on.port,
        database=f"test_{mark}",
        admin_user=on.admin_user,
        admin_password=on.admin_password,
        migrator_password=secrets.token_urlsafe(16),
        customers_password=secrets.token_urlsafe(16),
        orders_password=secrets.token_urlsafe(16),
        account_suffix=f"_{mark}",
    )
    migrate(admin, wait_seconds=START_SECONDS)
    return TestDatabase(admin)


@functools.cache
def _has_container_engine() -> bool:
    if shutil.which("docker") is None:
        return False
    try:
        _docker("version", "--format", "{{.Server.Version}}")
        _docker("image", "inspect", "--format", "{{.Id}}", MYSQL_IMAGE)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return False
    return True


@contextmanager
def _container() -> Iterator[DatabaseServer]:
    password = secrets.token_urlsafe(16)
    container = _docker(
        "run", "--detach", "--rm", "--publish", "127.0.0.1::3306", "--tmpfs", "/var/lib/mysql",
        "--env", f"MYSQL_ROOT_PASSWORD={password}", MYSQL_IMAGE,
        "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin",
    )  # fmt: skip
    try:
        port = int(_docker("port", container, "3306/tcp").splitlines()[0].rpartition(":")[2])
        database_server = DatabaseServer("127.0.0.1", port, "root", password)
        _wait_for(database_server)
        yield database_server
    finally:
        _docker("rm", "--force", container)


def _wait_for(database_server: DatabaseServer) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            pymysql.connect(
                host=database_server.host,
                port=database_server.port,
                user=database_server.admin_user,
                password=database_server.admin_password,
                connect_timeout=2,
            ).close()
        except pymysql.err.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
        else:
            return


def _docker(*arguments: str) -> str:
    done = subprocess.run(
        ["docker", *arguments],  # noqa: S607  # the engine that the person at the machine has
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout.strip()
