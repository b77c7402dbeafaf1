"""Idempotency keys: a repeated request acts once and gets the first response again.

1. The request acts in a transaction, and looks its key up in the first exchange of it. There: the
   stored response, or a refusal if the key belongs to another request.
2. The last statement of the transaction writes key and response.
3. A refusal, or a key that was written meanwhile, undoes the transaction; the key is looked up once
   more: the one that it ran beside may have been its twin, or it was refused before it could look
   (the Customers API is away, say). Where the key cannot be looked up, a refusal that would be
   final (409, say) is not told: its twin's order may stand.

The key is written last, not first: identical requests that are refused would otherwise wait for
one another's key, and a rollback that wakes them all ends in deadlocks. Source for the behaviour:
the IETF draft "The Idempotency-Key HTTP Header Field".
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from orders_api.problems import IdempotencyKeyReused
from service_kit.database import Database, NoConnectionFree, one_patience
from service_kit.database_answers import Row
from service_kit.database_connections import Connection, PutOff
from service_kit.database_errors import Duplicate
from service_kit.jsons import canonical
from service_kit.problems import Busy, Problem

log = structlog.get_logger()

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


class _AnsweredBefore(Exception):
    """The request has its response already."""

    def __init__(self, response: Response) -> None:
        self.response = response


class Attempt:
    """One attempt at a request, which keeps its key; of a request without one, it does nothing.

    In each transaction: `look_up`, a statement that answers, `check_first`, the effect, `record`.
    """

    def __init__(self, request: Request, ttl_seconds: int) -> None:
        self._request = request
        self._ttl_seconds = ttl_seconds
        self._look: PutOff | None = None

    def look_up(self, connection: Connection) -> None:
        """Look the key up in the exchange of the next statement."""
        if self._request.key is not None:
            self._look = connection.put_off(_LOOK, self._request.key)

    def check_first(self) -> None:
        """Let the request act if it did not before.

        Raises:
            IdempotencyKeyReused: the key belongs to another request.
        """
        if self._look is not None and (response := _stored(self._request, self._look.rows)):
            raise _AnsweredBefore(response)

    def record(self, connection: Connection, target_id: int, response: Response) -> None:
        """Write key, target id and response with the effect; the last thing of the transaction."""
        if self._look is None:
            return
        if self._look.rows:  # it expired
            connection.put_off(_DELETE_EXPIRED, self._request.key)
        connection.put_off(
            "INSERT INTO idempotency_keys (`key`, target_type, target_id, fingerprint, status,"
            " response_body, etag, location, created_at, expires_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, UTC_TIMESTAMP(3),"
            " UTC_TIMESTAMP(3) + INTERVAL %s SECOND)",
            self._request.key,
            self._request.operation,
            target_id,
            self._request.fingerprint,
            response.status,
            response.body,
            response.etag,
            response.location,
            self._ttl_seconds,
        )


Act = Callable[[Attempt], Awaitable[Response]]


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
            try:
                return await act(Attempt(request, self._ttl_seconds))
            except _AnsweredBefore as found:
                self._count_replay()
                return found.response
            except Duplicate as error:
                if error.key != _KEY:
                    raise
                busy = Busy("The idempotency key is in use; try again.")
                return await self._response_of_twin(request, busy)
            except (NoConnectionFree, IdempotencyKeyReused):
                # Nothing more to be known, or a look would take what there is too little of: the
                # client comes again.
                raise
            except Problem as refusal:
                return await self._response_of_twin(request, refusal)

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

    async def _response_of_twin(self, request: Request, refusal: Problem) -> Response:
        """Return what this very request was answered before, or meanwhile.

        Raises:
            Problem: the refusal, if there was no answer; or that it cannot be told.
        """
        if request.key is None:
            raise refusal
        try:
            rows = await self._database.read(
                lambda connection: connection.fetch_all(_LOOK, request.key)
            )
        except Busy:
            if isinstance(refusal, Busy):
                raise refusal from None
            raise
        response = _stored(request, rows)
        if response is None:
            raise refusal
        self._count_replay()
        return response


def _stored(request: Request, rows: Sequence[Row]) -> Response | None:
    """Return the response that a look at the key found; None if there is none, or it expired.

    Raises:
        IdempotencyKeyReused: the key belongs to another request.
    """
    if not rows:
        return None
    ((fingerprint, status, body, etag, location, is_live),) = rows
    if not is_live:
        return None
    if fingerprint != request.fingerprint:
        raise IdempotencyKeyReused
    return Response(status, body, etag, location, is_replay=True)
