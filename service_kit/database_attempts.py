"""One attempt at some work on a connection, and what becomes of it in the pool's words."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from service_kit.database_connections import Connection
from service_kit.database_errors import Meaning, meaning

T = TypeVar("T")
Work = Callable[[Connection], Awaitable[T]]


class LostConnectionError(Exception):
    """The server went away; whether the last statement was run is not known."""


class ConflictError(Exception):
    """The server undid the transaction, or a statement of it, in favour of another one."""


class UnknownOutcomeError(Exception):
    """The connection was lost after COMMIT was sent."""


async def run_once(connection: Connection, work: Work[T], *, transactional: bool) -> T:
    """Do the work on a connection, once: between BEGIN and COMMIT, or as single statements.

    Raises:
        ConflictError, LostConnectionError, UnknownOutcomeError: what became of it.
        MySQLError: a statement was refused for another reason.
        TimeoutError: the server did not answer in time.
    """
    if not transactional:
        with _translated():
            return await work(connection)
    with _translated():
        connection.put_off("BEGIN")
        result = await _or_undo(connection, work(connection))
    with _translated(committing=True):
        await _or_undo(connection, connection.commit())
    return result


async def _or_undo(connection: Connection, step: Awaitable[T]) -> T:
    """Await a step of a transaction; if it fails, leave no transaction open."""
    try:
        return await step
    except Exception as error:
        if not (meaning(error) is Meaning.LOST or connection.is_closed):
            await connection.roll_back()
        raise


class _translated:  # noqa: N801  # reads as a phrase: with _translated(): ...
    """Turns the driver's errors into what the pool acts on."""

    def __init__(self, *, committing: bool = False) -> None:
        self._committing = committing

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None or isinstance(error, TimeoutError):
            return
        found = meaning(error)
        if found is Meaning.LOST:
            raise (UnknownOutcomeError if self._committing else LostConnectionError) from error
        if found is Meaning.CONFLICT:
            raise ConflictError from error
