"""The driver's connections to MySQL or MariaDB: how they are made, and how statements are sent."""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiomysql
from pymysql import err as mysql
from pymysql.constants import CLIENT, COMMAND, CR

from service_kit.database_answers import Result
from service_kit.database_wire import Wire
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
ISOLATION = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
_IS_CLUSTERED = "SHOW VARIABLES WHERE Variable_name = 'wsrep_on' AND Value = 'ON'"


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


def tls_context(settings: DatabaseSettings) -> ssl.SSLContext | None:
    """Return what verifies the server; None if TLS is not asked for."""
    if not settings.tls:
        return None
    return ssl.create_default_context(cafile=settings.tls_ca)


def login(settings: DatabaseSettings) -> dict[str, Any]:
    """Return what the driver is told of the database, the account and the session."""
    return {
        "host": settings.host,
        "port": settings.port,
        "user": settings.user,
        "password": settings.password,
        "db": settings.database,
        "charset": "utf8mb4",
        "autocommit": True,
        "client_flag": CLIENT.FOUND_ROWS,
        "init_command": _SESSION,
    }


async def connect(settings: DatabaseSettings, tls: ssl.SSLContext | None) -> "DriverConnection":
    """Return a connection of the driver, its session set up.

    Raises:
        MySQLError, OSError, TimeoutError: there is none to be had.
    """
    raw = (_EncryptedConnection if tls else DriverConnection)(**login(settings), ssl=tls)
    try:
        # connect_timeout covers TCP alone: a mute server would hang the handshake.
        async with asyncio.timeout(CONNECT_SECONDS):
            await raw.open()
            _, clustered = await raw.run([ISOLATION, _IS_CLUSTERED])
            raw.is_clustered = bool(clustered.rows)
    except BaseException:
        raw.close()
        raise
    return raw


class DriverConnection(aiomysql.Connection):  # type: ignore[misc]  # it has no types
    """The driver's connection, which logs in; from then on `Wire` reads the answers.

    A node of a write-set cluster (Galera) may undo a transaction between two statements, for
    another node's. The next one is told so if it comes by itself; in the same exchange it would run
    outside of any transaction, and COMMIT after it would say that all is well (seen on MariaDB
    10.11). So there statements do not travel together.
    """

    wire: Wire
    is_clustered = False

    @property
    def is_usable(self) -> bool:
        """Tell whether neither side has hung up, without asking the server."""
        return not self.closed and self.wire.is_usable

    async def open(self) -> None:
        """Connect and log in.

        Raises:
            MySQLError, OSError: it is not possible.
        """
        await self._connect()
        self.wire = Wire(self._writer.transport)

    def written(self, sql: str, parameters: Sequence[Any]) -> str:
        """Return a statement with its parameters put in."""
        return sql % tuple(map(self._literal, parameters))

    def _literal(self, value: Any) -> Any:
        kind = type(value)
        if kind is int:
            return value
        if kind is bytes:
            # The driver would look at each byte, and write them as text that is none.
            return f"x'{value.hex()}'"
        return self.escape(value)

    async def run(self, statements: Sequence[str]) -> list[Result]:
        """Run statements one after another, in one exchange, as far as none fails.

        Raises:
            MySQLError: one failed, and those after it were not run; or the server went away.
            TimeoutError: the wire's clock ran out.
        """
        if self.is_clustered and len(statements) > 1:
            return [result for one in statements for result in await self.run([one])]
        await self._execute_command(COMMAND.COM_QUERY, "; ".join(statements))
        try:
            results = await self.wire.answers(len(statements))
        except (asyncio.CancelledError, TimeoutError):
            self.close()
            raise
        except OSError as error:
            self.close()
            raise mysql.OperationalError(CR.CR_SERVER_LOST, f"lost: {error}") from error
        except mysql.MySQLError:
            raise
        except Exception:
            # Answers may be left unread: the next one to ask would get them.
            self.close()
            raise
        self.server_status = results[-1].status  # the driver escapes text by it
        return results


class _EncryptedConnection(DriverConnection):
    """Hangs up on a server that offers no TLS; the driver would log in and go on in plain text."""

    async def _request_authentication(self) -> None:
        if not self.server_capabilities & CLIENT.SSL:
            raise mysql.OperationalError(CR.CR_SSL_CONNECTION_ERROR, "the server offers no TLS")
        await super()._request_authentication()
