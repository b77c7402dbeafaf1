"""Waiting for a condition, with a deadline instead of a guess."""

import asyncio
import time
from collections.abc import Callable

from local_system import processes

POLL_SECONDS = 0.01


async def until(condition: Callable[[], bool], what: str, seconds: float = 10) -> None:
    """Return as soon as the condition holds; fail when it does not come about in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what}"
        await asyncio.sleep(POLL_SECONDS)


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 20) -> None:
    """Do the same where no loop runs."""
    assert processes.wait_until(condition, seconds), f"waited {seconds} s in vain: {what}"
