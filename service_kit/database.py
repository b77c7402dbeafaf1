"""The database: a bounded pool of connections, single reads, transactions that are repeated.

What a request sees of trouble here is `Busy` alone: no database, no connection free in time, a lock
not had in time, or a conflict that did not end.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import aiomysql
import structlog
from pymysql import err as mysql
from pymysql.constants import CLIENT, CR, ER

from service_kit.problems import Busy
from service_kit.retrying import Backoff
from service_kit.settings import Environment

log = structlog.get_logger()

T = TypeVar("T")
Work = Callable[["Connection"], Awaitable[T]]

LOCK_WAIT_SECONDS = 5
ACQUIRE_SECONDS = 5.0
CONNECT_SECONDS = 3.0
# A use of a connection may wait for a lock and still has to send its statements.
USE_SECONDS = LOCK_WAIT_SECONDS + 5.0
MOST_WAITING = 1000
CONFLICT_BACKOFF = Backoff(base_seconds=0.01, cap_seconds=0.3, attempts=10)

SNAPSHOT_CONFLICT = 1020  # MariaDB with innodb_snapshot_isolation
CONFLICTS = frozenset({ER.LOCK_DEADLOCK, ER.LOCK_WAIT_TIMEOUT, SNAPSHOT_CONFLICT})
LOST = frozenset(
    {
        CR.CR_SERVER_GONE_ERROR,
        CR.CR_SERVER_LOST,
        CR.CR_SERVER_LOST_EXTENDED,
        ER.SERVER_SHUTDOWN,
        ER.QUERY_INTERRUPTED,
        1927,  # MariaDB: the connection was killed
        4031,  # MySQL: the client was disconnected because of inactivity
    }
)
UNAVAILABLE = frozenset(
    {
        ER.CON_COUNT_ERROR,
        ER.TOO_MANY_USER_CONNECTIONS,
        ER.USER_LIMIT_REACHED,
        ER.OPTION_PREVENTS_STATEMENT,  # the server is read-only
        1792,  # the transaction is read-only
        1836,  # MySQL: it runs in read-only mode
        ER.UNKNOWN_COM_ERROR,  # Galera: the node is not ready
        ER.DISK_FULL,
        ER.RECORD_FILE_FULL,
        ER.OUTOFMEMORY,
        ER.OUT_OF_SORTMEMORY,
        ER.OUT_OF_RESOURCES,
    }
)

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
        return cls(
            host=environment.text("MYSQL_HOST"),
            port=environment.number("MYSQL_PORT", 3306, minimum=1, maximum=65535),
            database=environment.text("MYSQL_DATABASE"),
            user=environment.text("MYSQL_USER"),
            password=environment.text("MYSQL_PASSWORD"),
            pool_size=environment.number("MYSQL_POOL_SIZE", 10, minimum=1, maximum=200),
            tls=environment.choice("MYSQL_TLS", "off", ("off", "required")) == "required",
            tls_ca=environment.text("MYSQL_TLS_CA", "") or None,
        )


class Duplicate(Exception):
    """A row with the same unique key is there (error 1062); ``message`` names the key."""


class MissingReference(Exception):
    """The row that a foreign key points to is not there (error 1452)."""


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
                raise _constraint(error) from error
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


class Observer(Protocol):
    """Who wants to know what the pool does (the metrics)."""

    def pool_in_use(self, connections: int) -> None:
        """Connections are in use now."""

    def transaction_repeated(self, reason: str) -> None:
        """A transaction is run again."""


class _LostConnectionError(Exception):
    """The server went away; whether the last statement was run is not known."""


class _ConflictError(Exception):
    """The server undid the transaction, or a statement of it, in favour of another one."""


class _UnknownOutcomeError(Exception):
    """The connection was lost after COMMIT was sent."""


class Database:
    """The pool of one process.

    A semaphore bounds the connections; those that are free lie on a stack. aiomysql's own pool can
    hang after a cancellation and connects under its lock.
    """

    def __init__(self, settings: DatabaseSettings, observer: Observer) -> None:
        self._settings = settings
        self._observer = observer
        self._permits = asyncio.Semaphore(settings.pool_size)
        self._idle: list[Any] = []
        self._waiting = 0
        self._in_use = 0
        self._tls = _tls_context(settings)

    async def read(self, work: Work[T]) -> T:
        """Run single statements, each its own transaction, on one connection.

        Raises:
            Busy: no connection, or the server went away twice.
        """
        return await self._run(work, transactional=False)

    async def transaction(self, work: Work[T]) -> T:
        """Run the work between BEGIN and COMMIT; undo it if it raises.

        The work is run again, on a fresh transaction, after a deadlock, a lock wait or a snapshot
        conflict, and after a connection lost before COMMIT was sent: so it must have no effect but
        in the database.

        Raises:
            Busy: no connection, no end of conflicts, or a lost COMMIT whose outcome is not known.
        """
        return await self._run(work, transactional=True)

    async def ping(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            Busy: there is none.
        """
        await self.read(lambda connection: connection.fetch_one("SELECT 1"))

    async def close(self) -> None:
        """Close the connections that are free."""
        while self._idle:
            raw = self._idle.pop()
            with suppress(mysql.MySQLError, OSError, TimeoutError, RuntimeError):
                async with asyncio.timeout(1):
                    await raw.ensure_closed()
            raw.close()

    async def _run(self, work: Work[T], *, transactional: bool) -> T:
        # Nobody waits longer for locks than for one: a second wait of the full length never starts.
        deadline = time.monotonic() + LOCK_WAIT_SECONDS
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._attempt(work, transactional=transactional)
            except (_ConflictError, _LostConnectionError) as trouble:
                reason = "conflict" if isinstance(trouble, _ConflictError) else "lost_connection"
                delay = CONFLICT_BACKOFF.delay(attempt)
                if not CONFLICT_BACKOFF.allows(attempt) or time.monotonic() + delay >= deadline:
                    raise _busy("the database did not let the work through", trouble) from trouble
                self._observer.transaction_repeated(reason)
            except (_UnknownOutcomeError, TimeoutError) as error:
                raise _busy("the database did not answer", error) from error
            except mysql.MySQLError as error:
                if _number(error) not in UNAVAILABLE:
                    raise
                raise _busy("the database cannot do the work", error) from error
            await asyncio.sleep(delay)

    async def _attempt(self, work: Work[T], *, transactional: bool) -> T:
        async with self._connection() as raw, asyncio.timeout(USE_SECONDS):
            connection = Connection(raw)
            if not transactional:
                with _translated():
                    return await work(connection)
            with _translated():
                await raw.begin()
                result = await _or_undo(raw, work(connection))
            with _translated(committing=True):
                await _or_undo(raw, raw.commit())
            return result

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        """Lend a connection; one that was left in the middle of something is closed."""
        await self._permit()
        raw = None
        reusable = False
        try:
            raw = self._pop_idle() or await self._connect()
            yield raw
            reusable = True
        except (
            _ConflictError,
            _LostConnectionError,
            _UnknownOutcomeError,
            TimeoutError,
        ) as trouble:
            reusable = isinstance(trouble, _ConflictError)
            if isinstance(trouble, _LostConnectionError):
                self._drop_idle()
            raise
        except Exception as error:
            # Undone by then, or a single statement that was refused: the connection is as new. But
            # a server that has become read-only, say, may no longer be the one to ask.
            reusable = _number(error) not in UNAVAILABLE
            raise
        finally:
            self._give_back(raw, reusable=reusable)

    async def _permit(self) -> None:
        if self._waiting >= MOST_WAITING:
            raise Busy("Too many requests wait for a database connection.")
        self._waiting += 1
        try:
            async with asyncio.timeout(ACQUIRE_SECONDS):
                await self._permits.acquire()
        except TimeoutError as error:
            raise Busy("No database connection became free in time.") from error
        finally:
            self._waiting -= 1
        self._count(+1)

    def _give_back(self, raw: Any, *, reusable: bool) -> None:
        if raw is not None:
            if reusable and not raw.closed:
                self._idle.append(raw)
            else:
                raw.close()
        self._count(-1)
        self._permits.release()

    def _count(self, change: int) -> None:
        self._in_use += change
        self._observer.pool_in_use(self._in_use)

    def _pop_idle(self) -> Any:
        while self._idle:
            raw = self._idle.pop()
            # The server has hung up: seen without asking it.
            dead = raw.closed or raw._reader.at_eof() or raw._writer.is_closing()  # noqa: SLF001
            if not dead:
                return raw
            raw.close()
        return None

    def _drop_idle(self) -> None:
        """Close all free connections: what broke one has most likely broken them all."""
        while self._idle:
            self._idle.pop().close()

    async def _connect(self) -> Any:
        settings = self._settings
        try:
            # connect_timeout covers TCP alone: a mute server would hang the handshake.
            async with asyncio.timeout(CONNECT_SECONDS):
                raw = (_EncryptedConnection if self._tls else aiomysql.Connection)(
                    host=settings.host,
                    port=settings.port,
                    user=settings.user,
                    password=settings.password,
                    db=settings.database,
                    charset="utf8mb4",
                    autocommit=True,
                    client_flag=CLIENT.FOUND_ROWS,
                    init_command=_SESSION,
                    ssl=self._tls,
                )
                await raw._connect()  # noqa: SLF001  # aiomysql.connect() does no more
                async with raw.cursor() as cursor:
                    await cursor.execute(_ISOLATION)
        except (mysql.MySQLError, OSError, TimeoutError) as error:
            raise _busy("no connection to the database", error) from error
        return raw


class _EncryptedConnection(aiomysql.Connection):  # type: ignore[misc]  # it has no types
    """Hangs up on a server that offers no TLS; the driver would log in and go on in plain text."""

    async def _request_authentication(self) -> None:
        if not self.server_capabilities & CLIENT.SSL:
            raise mysql.OperationalError(CR.CR_SSL_CONNECTION_ERROR, "the server offers no TLS")
        await super()._request_authentication()


async def _or_undo(raw: Any, step: Awaitable[T]) -> T:
    """Await a step of a transaction; if it fails, leave no transaction open."""
    try:
        return await step
    except Exception as error:
        if not _is_lost(error):
            await raw.rollback()
        raise


def _tls_context(settings: DatabaseSettings) -> ssl.SSLContext | None:
    if not settings.tls:
        return None
    return ssl.create_default_context(cafile=settings.tls_ca)


def _busy(what: str, error: Exception | None) -> Busy:
    cause = (error and error.__cause__) or error
    log.error("database trouble", what=what, error=type(cause).__name__, number=_number(cause))
    return Busy(f"{what[0].upper()}{what[1:]}; try again.")


def _constraint(error: mysql.IntegrityError) -> Exception:
    if _number(error) == ER.DUP_ENTRY:
        return Duplicate(error.args[1])
    if _number(error) == ER.NO_REFERENCED_ROW_2:
        return MissingReference(error.args[1])
    return error


def _number(error: BaseException | None) -> int | None:
    number = error.args[0] if error and error.args else None
    return number if isinstance(number, int) else None


def _is_lost(error: BaseException) -> bool:
    if isinstance(error, mysql.MySQLError):
        return _number(error) in LOST or isinstance(error, mysql.InterfaceError)
    if isinstance(error, RuntimeError):
        # So says uvloop where asyncio has a ConnectionResetError: it was reset between statements.
        return "handler is closed" in str(error)
    return isinstance(error, (ConnectionError, asyncio.IncompleteReadError, TimeoutError))


class _translated:  # noqa: N801  # reads as a phrase: with _translated(): ...
    """Turns the driver's errors into what the pool acts on."""

    def __init__(self, *, committing: bool = False) -> None:
        self._committing = committing

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None or isinstance(error, TimeoutError):
            return
        if _is_lost(error):
            if self._committing:
                raise _UnknownOutcomeError from error
            raise _LostConnectionError from error
        if isinstance(error, mysql.MySQLError) and _number(error) in CONFLICTS:
            raise _ConflictError from error
