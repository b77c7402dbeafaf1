"""Idempotency keys: a repeated request acts once and gets the first response again.

1. The key is looked up. There: the stored response, or a refusal if it belongs to another request.
   What works on a row that is there looks in its transaction, in the exchange that locks the row.
2. The request acts, and writes key and response as the last statement of its transaction.
3. A refusal, or a key that was written meanwhile, undoes the transaction; the key is looked up once
   more, since the one that it ran beside may have been its twin. Where that cannot be looked up, a
   refusal that would be final (409, say) is not told: its twin's order may stand.

The key is written last, not first: identical requests that are refused would otherwise wait for
one another's key, and a rollback that wakes them all ends in deadlocks. Source for the behaviour:
the IETF draft "The Idempotency-Key HTTP Header Field".
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

import structlog

from orders_api.circuit import CircuitOpen
from orders_api.problems import IdempotencyKeyReused
from service_kit.database import Database, NoConnectionFree, one_patience
from service_kit.database_answers import Row
from service_kit.database_connections import Connection
from service_kit.database_errors import Duplicate
from service_kit.jsons import canonical
from service_kit.problems import Busy, Problem

log = structlog.get_logger()

T = TypeVar("T")

MOST_ATTEMPTS = 5
PURGE_BATCH = 500
_KEY = "PRIMARY"

_LOOK = (
    "SELECT fingerprint, status, response_body, etag, location, expires_at > UTC_TIMESTAMP(3)"
    " FROM idempotency_keys WHERE `key` = %s"
)
# One at a time: for hundreds of keys at once the servers read a table of thousands from end to end,
# and wait for the keys that are being written.
_DELETE_EXPIRED = "DELETE FROM idempotency_keys WHERE `key` = %s AND expires_at <= UTC_TIMESTAMP(3)"


@dataclass(frozen=True, slots=True)
class Response:
    """What a client gets, and gets again: ``body`` byte for byte."""

    status: int
    body: bytes
    etag: str | None = None
    location: str | None = None
    is_replay: bool = False


class _Absence(Enum):
    """Why no response is stored under a key."""

    FREE = "free"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Request:
    """A request under a key (or none): what it does, to what, with which JSON value."""

    key: bytes | None
    operation: str
    target_id: int | None
    value: Any

    @property
    def fingerprint(self) -> bytes:
        """Return what tells a repeat from a reuse (SHA-256, 32 bytes)."""
        parts = [self.operation, str(self.target_id), self.value]
        return hashlib.sha256(canonical(parts)).digest()


Recorder = Callable[[Connection, int, Response], None]
"""Writes key, target id and response; called last in the transaction that has the effect."""

Act = Callable[[Recorder], Awaitable[Response]]

Lock = Callable[[Connection], Awaitable[T]]
"""Locks what a request is to change and returns it as it is, or None, in one exchange."""

Change = Callable[[Connection, T, Recorder], Awaitable[Response]]
"""Changes what was locked."""


class IdempotencyKeys:
    """The keys of the installation."""

    def __init__(
        self, database: Database, ttl_seconds: int, count_replay: Callable[[], None]
    ) -> None:
        self._database = database
        self._ttl_seconds = ttl_seconds
        self._count_replay = count_replay

    async def once(self, request: Request, act: Act) -> Response:
        """Let a request act, unless its key tells that it did before.

        Raises:
            IdempotencyKeyReused: the key belongs to another request.
            Problem: what the request itself is refused with.
        """
        with one_patience():
            if request.key is None:
                return await act(_record_nothing)
            for _ in range(MOST_ATTEMPTS):
                found = await self._find(request)
                if isinstance(found, Response):
                    return found
                response = await self._tried(request, act(self._recorder(request, found)))
                if response is not None:
                    return response
            raise _in_use()

    async def once_on(self, request: Request, lock: Lock[T], change: Change[T]) -> Response:
        """Let a request change what it locks, in one transaction, unless it did before.

        Raises:
            IdempotencyKeyReused: the key belongs to another request.
            Problem: what the request itself is refused with.
        """

        async def work(connection: Connection) -> Response:
            if request.key is None:
                return await change(connection, await lock(connection), _record_nothing)
            look = connection.put_off(_LOOK, request.key)
            locked = await lock(connection)
            found = self._told(request, look.rows)
            if isinstance(found, Response):
                return found
            return await change(connection, locked, self._recorder(request, found))

        with one_patience():
            if request.key is None:
                return await self._database.transaction(work)
            for _ in range(MOST_ATTEMPTS):
                response = await self._tried(request, self._database.transaction(work))
                if response is not None:
                    return response
            raise _in_use()

    async def purge(self) -> int:
        """Delete a batch of expired keys that nobody else is busy with; return how many."""

        async def work(connection: Connection) -> int:
            rows = await connection.fetch_all(
                "SELECT `key` FROM idempotency_keys WHERE expires_at <= UTC_TIMESTAMP(3)"
                " ORDER BY expires_at LIMIT %s FOR UPDATE SKIP LOCKED",
                PURGE_BATCH,
            )
            for (key,) in rows:
                connection.put_off(_DELETE_EXPIRED, key)
            return len(rows)

        return await self._database.transaction(work)

    async def purge_for_ever(self, pause_seconds: float) -> None:
        """Keep the table free of expired keys, a batch at a time."""
        while True:
            try:
                deleted = await self.purge()
            except Problem as problem:
                log.warning("purge of idempotency keys put off", reason=problem.detail)
                deleted = 0
            except Exception:
                # Whatever it was (the table is not there yet, say): without a purge nobody would
                # notice for days.
                log.exception("purge of idempotency keys failed")
                deleted = 0
            if deleted < PURGE_BATCH:
                await asyncio.sleep(pause_seconds)

    async def _tried(self, request: Request, attempt: Awaitable[Response]) -> Response | None:
        """Return what an attempt, or its twin, was answered; None to begin anew."""
        try:
            return await attempt
        except Duplicate as error:
            if error.key != _KEY:
                raise
            return None  # Its twin was faster, or the key expired just now.
        except (NoConnectionFree, CircuitOpen, IdempotencyKeyReused):
            # Nothing was tried, and to look again would cost what there is too little of: the
            # client comes again, and is then looked for first.
            raise
        except Problem as problem:
            return await self._twins_response(request, problem)

    async def _twins_response(self, request: Request, refusal: Problem) -> Response:
        """Return what a twin was answered meanwhile.

        Raises:
            Problem: the refusal, if there was no twin; or that it cannot be told.
        """
        try:
            found = await self._find(request)
        except Busy:
            if isinstance(refusal, Busy):
                raise refusal from None
            raise
        if isinstance(found, Response):
            return found
        raise refusal

    async def _find(self, request: Request) -> Response | _Absence:
        rows = await self._database.read(
            lambda connection: connection.fetch_all(_LOOK, request.key)
        )
        return self._told(request, rows)

    def _told(self, request: Request, rows: Sequence[Row]) -> Response | _Absence:
        """Return what a look at the key says.

        Raises:
            IdempotencyKeyReused: the key belongs to another request.
        """
        if not rows:
            return _Absence.FREE
        ((fingerprint, status, body, etag, location, is_live),) = rows
        if not is_live:
            return _Absence.EXPIRED
        if fingerprint != request.fingerprint:
            raise IdempotencyKeyReused
        self._count_replay()
        return Response(status, body, etag, location, is_replay=True)

    def _recorder(self, request: Request, absence: _Absence) -> Recorder:
        def record(connection: Connection, target_id: int, response: Response) -> None:
            if absence is _Absence.EXPIRED:
                connection.put_off(_DELETE_EXPIRED, request.key)
            connection.put_off(
                "INSERT INTO idempotency_keys (`key`, target_type, target_id, fingerprint, status,"
                " response_body, etag, location, created_at, expires_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, UTC_TIMESTAMP(3),"
                " UTC_TIMESTAMP(3) + INTERVAL %s SECOND)",
                request.key,
                request.operation,
                target_id,
                request.fingerprint,
                response.status,
                response.body,
                response.etag,
                response.location,
                self._ttl_seconds,
            )

        return record


def _record_nothing(_connection: Connection, _target_id: int, _response: Response) -> None:
    """Stand in where a request has no key."""


def _in_use() -> Busy:
    return Busy("The idempotency key is in use; try again.")
