"""Clients that call while something happens to the system."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import aiohttp

from tests.apis import Answer, Api
from tests.system.orchestrations import PATH

PATIENCE_SECONDS = 60


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not await condition():
        assert time.monotonic() < end, "it did not come true in time"
        await asyncio.sleep(0.05)


async def finished(gateway: Api, request: dict[str, object]) -> Answer:
    """Call as a good client does: the same key again until the answer is definite."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            answer = await gateway.post(PATH, request)
        except aiohttp.ClientError:
            answer = None
        if answer is not None and answer.status < 500:
            return answer
        assert time.monotonic() < end, answer
        await asyncio.sleep(0.1)


async def some_done(calls: list[asyncio.Task[Answer]]) -> bool:
    """Say whether one of the calls has its answer."""
    return any(call.done() for call in calls)
