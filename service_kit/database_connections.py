"""Connections to MySQL or MariaDB: how they are made, and what one does with them."""

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import Any

import aiomysql
from pymysql import err as mysql
from pymysql.constants import CLIENT, CR

from service_kit.database_errors import constraint
from service_kit.settings import Environment

LOCK_WAIT_SECONDS = 5
CONNECT_SECONDS = 3.0

_SESSION = (
    f"SET SESSION time_zone = '+00:00', innodb_lock_wait_timeout = {LOCK_WAIT_SECONDS},"
    f" lock_wait_timeout = {LOCK_WAIT_SECONDS},"
    " sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "ONLY_FULL_GROUP_BY,NO_ENGINE_SUBSTITUTION'"
)
# Under REPEATABLE READ a snapshot taken before waiting for a lock hides what the other one did.
_ISOLATION = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where the database is, who connects, and how many connections a process holds."""

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    pool_size: int
    tls: bool
    tls_ca: str | None

    @classmethod
    def read(cls, environment: Environment) -> "DatabaseSettings":
        """Read the MYSQL_ variables."""
        tls = environment.choice("MYSQL_TLS", "off", ("off", "required")) == "required"
        tls_ca = environment.file("MYSQL_TLS_CA")
        return cls(
            host=environment.text("MYSQL_HOST"),
            port=environment.number("MYSQL_PORT", 3306, minimum=1, maximum=65535),
            database=environment.text("MYSQL_DATABASE"),
            user=environment.text("MYSQL_USER"),
            password=environment.text("MYSQL_PASSWORD"),
            pool_size=environment.number("MYSQL_POOL_SIZE", 10, minimum=1, maximum=200),
            tls=tls,
            tls_ca=tls_ca,
        )


class Connection:
    """A connection in somebody's hands: statements with parameters, plain tuples back."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    async def execute(self, sql: str, *parameters: Any) -> tuple[int, int]:
        """Run a statement; return the rows that it matched and the id that it made (or 0).

        Raises:
            Duplicate, MissingReference: a constraint refused it.
        """
        async with self._raw.cursor() as cursor:
            try:
                await cursor.execute(sql, parameters)
            except mysql.IntegrityError as error:
                raise constraint(error) from error
            return cursor.rowcount, cursor.lastrowid

    async def fetch_one(self, sql: str, *parameters: Any) -> tuple[Any, ...] | None:
        """Run a query; return its first row, or None."""
        async with self._raw.cursor() as cursor:
            await cursor.execute(sql, parameters)
            row: tuple[Any, ...] | None = await cursor.fetchone()
            return row

    async def fetch_all(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run a query; return its rows."""
        async with self._raw.cursor() as cursor:
            await cursor.execute(sql, parameters)
            return list(await cursor.fetchall())


def tls_context(settings: DatabaseSettings) -> ssl.SSLContext | None:
    """Return what verifies the server; None if TLS is not asked for."""
    if not settings.tls:
        return None
    return ssl.create_default_context(cafile=settings.tls_ca)


async def connect(settings: DatabaseSettings, tls: ssl.SSLContext | None) -> Any:
    """Return a connection of the driver, its session set up.

    Raises:
        MySQLError, OSError, TimeoutError: there is none to be had.
    """
    raw = (_EncryptedConnection if tls else aiomysql.Connection)(
        host=settings.host,
        port=settings.port,
        user=settings.user,
        password=settings.password,
        db=settings.database,
        charset="utf8mb4",
        autocommit=True,
        client_flag=CLIENT.FOUND_ROWS,
        init_command=_SESSION,
        ssl=tls,
    )
    try:
        # connect_timeout covers TCP alone: a mute server would hang the handshake.
        async with asyncio.timeout(CONNECT_SECONDS):
            await raw._connect()  # noqa: SLF001  # aiomysql.connect() does no more
            async with raw.cursor() as cursor:
                await cursor.execute(_ISOLATION)
    except BaseException:
        raw.close()
        raise
    return raw


def is_usable(raw: Any) -> bool:
    """Tell whether the server has not hung up, without asking it."""
    return not (raw.closed or raw._reader.at_eof() or raw._writer.is_closing())  # noqa: SLF001


class _EncryptedConnection(aiomysql.Connection):  # type: ignore[misc]  # it has no types
    """Hangs up on a server that offers no TLS; the driver would log in and go on in plain text."""

    async def _request_authentication(self) -> None:
        if not self.server_capabilities & CLIENT.SSL:
            raise mysql.OperationalError(CR.CR_SSL_CONNECTION_ERROR, "the server offers no TLS")
        await super()._request_authentication()
