"""The database: a bounded pool of connections, single reads, transactions that are repeated.

What a request sees of trouble here is `Busy` alone: no database, no connection free in time, a lock
not had in time, or a conflict that did not end.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol, TypeVar

import structlog
from pymysql import err as mysql

from service_kit.database_attempts import (
    ConflictError,
    LostConnectionError,
    UnknownOutcomeError,
    Work,
    run_once,
)
from service_kit.database_connections import Connection
from service_kit.database_driver import (
    LOCK_WAIT_SECONDS,
    DatabaseSettings,
    DriverConnection,
    connect,
    tls_context,
)
from service_kit.database_errors import Meaning, meaning, number
from service_kit.problems import Busy
from service_kit.retrying import Backoff

log = structlog.get_logger()

T = TypeVar("T")

ACQUIRE_SECONDS = 5.0
# Whoever asks after health has little patience.
PING_SECONDS = 2.0
# A use of a connection may wait for a lock and still has to send its statements.
USE_SECONDS = LOCK_WAIT_SECONDS + 5.0
MOST_WAITING = 1000
CONFLICT_BACKOFF = Backoff(base_seconds=0.01, cap_seconds=0.3, attempts=10)


class Observer(Protocol):
    """Who wants to know what the pool does (the metrics)."""

    def pool_in_use(self, connections: int) -> None:
        """Connections are in use now."""

    def transaction_repeated(self, reason: str) -> None:
        """A transaction is run again."""


class NoConnectionFree(Busy):
    """All connections are in use, and remained so for as long as one waits."""


@dataclass(slots=True)
class _Patience:
    """Seconds that are left to wait for connections."""

    left: float


_patience: ContextVar[_Patience | None] = ContextVar("patience", default=None)


@contextmanager
def one_patience() -> Iterator[None]:
    """Let all uses of a database within wait no longer for connections than one use does."""
    token = _patience.set(_Patience(ACQUIRE_SECONDS))
    try:
        yield
    finally:
        _patience.reset(token)


class Database:
    """The pool of one process.

    A semaphore bounds the connections; those that are free lie on a stack. aiomysql's own pool can
    hang after a cancellation and connects under its lock.
    """

    def __init__(self, settings: DatabaseSettings, observer: Observer) -> None:
        self._settings = settings
        self._observer = observer
        self._permits = asyncio.Semaphore(settings.pool_size)
        self._idle: list[DriverConnection] = []
        self._waiting = 0
        self._in_use = 0
        self._tls = tls_context(settings)

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
        try:
            async with asyncio.timeout(PING_SECONDS):
                await self.read(lambda connection: connection.fetch_one("SELECT 1"))
        except TimeoutError as error:
            raise _busy("the database gives no sign of life", error) from error

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
            except (ConflictError, LostConnectionError) as trouble:
                reason = "conflict" if isinstance(trouble, ConflictError) else "lost_connection"
                delay = CONFLICT_BACKOFF.delay(attempt)
                if not CONFLICT_BACKOFF.allows(attempt) or time.monotonic() + delay >= deadline:
                    raise _busy("the database did not let the work through", trouble) from trouble
                self._observer.transaction_repeated(reason)
            except (UnknownOutcomeError, TimeoutError) as error:
                raise _busy("the database did not answer", error) from error
            except mysql.MySQLError as error:
                if meaning(error) is not Meaning.UNAVAILABLE:
                    raise
                raise _busy("the database cannot do the work", error) from error
            await asyncio.sleep(delay)

    async def _attempt(self, work: Work[T], *, transactional: bool) -> T:
        """Lend a connection to the work; one that was left in the middle of something is closed."""
        await self._permit()
        raw = None
        reusable = False
        try:
            raw = self._pop_idle() or await self._connect()
            raw.wire.start_clock(USE_SECONDS)
            result = await run_once(Connection(raw), work, transactional=transactional)
            reusable = True
        except (
            ConflictError,
            LostConnectionError,
            UnknownOutcomeError,
            TimeoutError,
        ) as trouble:
            reusable = isinstance(trouble, ConflictError)
            if not reusable:
                self._drop_idle()
            raise
        except Exception as error:
            # Undone by then, or a single statement that was refused: the connection is as new. But
            # a server that has become read-only, say, may no longer be the one to ask.
            reusable = meaning(error) is not Meaning.UNAVAILABLE
            raise
        else:
            return result
        finally:
            self._give_back(raw, reusable=reusable)

    async def _permit(self) -> None:
        if not self._permits.locked():
            await self._permits.acquire()  # at once: no time limit need be set up and taken down
            self._count(+1)
            return
        if self._waiting >= MOST_WAITING:
            raise NoConnectionFree("Too many requests wait for a database connection.")
        patience = _patience.get() or _Patience(ACQUIRE_SECONDS)
        began = time.monotonic()
        self._waiting += 1
        try:
            async with asyncio.timeout(patience.left):
                await self._permits.acquire()
        except TimeoutError as error:
            raise NoConnectionFree("No database connection became free in time.") from error
        finally:
            self._waiting -= 1
            patience.left -= time.monotonic() - began
        self._count(+1)

    def _give_back(self, raw: DriverConnection | None, *, reusable: bool) -> None:
        if raw is not None:
            raw.wire.stop_clock()
            if reusable and not raw.closed:
                self._idle.append(raw)
            else:
                raw.close()
        self._count(-1)
        self._permits.release()

    def _count(self, change: int) -> None:
        self._in_use += change
        self._observer.pool_in_use(self._in_use)

    def _pop_idle(self) -> DriverConnection | None:
        while self._idle:
            raw = self._idle.pop()
            if raw.is_usable:
                return raw
            raw.close()
        return None

    def _drop_idle(self) -> None:
        """Close all free connections: what broke one has most likely broken them all."""
        while self._idle:
            self._idle.pop().close()

    async def _connect(self) -> DriverConnection:
        try:
            return await connect(self._settings, self._tls)
        except (mysql.MySQLError, OSError, TimeoutError) as error:
            raise _busy("no connection to the database", error) from error


def _busy(what: str, error: Exception | None) -> Busy:
    cause = (error and error.__cause__) or error
    log.error("database trouble", what=what, error=type(cause).__name__, number=number(cause))
    return Busy(f"{what[0].upper()}{what[1:]}; try again.")
