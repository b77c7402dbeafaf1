"""Work that is done once for all who ask for it at the same time, or soon after."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """Shares one run of some work, and its outcome for a while.

    A caller that leaves stops the work for nobody else. A failure is every caller's own, and is
    kept for a time of its own, so that a crowd does not find out one after another.
    """

    def __init__(
        self,
        work: Callable[[], Awaitable[T]],
        *,
        kept_seconds: float,
        failure_kept_seconds: float,
    ) -> None:
        self._work = work
        self._kept_seconds = kept_seconds
        self._failure_kept_seconds = failure_kept_seconds
        self._run: asyncio.Task[T] | None = None
        self._good_until = 0.0

    async def get(self) -> T:
        """Return what the work comes to, or raise what it raises."""
        run = self._run
        if run is None or (run.done() and time.monotonic() >= self._good_until):
            run = self._run = asyncio.create_task(self._timed())
        # Not awaited itself: a caller that is cancelled would cancel it.
        await asyncio.wait([run])
        return run.result()

    async def _timed(self) -> T:
        kept = 0.0
        try:
            result = await self._work()
            kept = self._kept_seconds
        except Exception:
            kept = self._failure_kept_seconds
            raise
        else:
            return result
        finally:
            self._good_until = time.monotonic() + kept
