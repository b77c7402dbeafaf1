"""One run for all who ask at the same time, or soon after."""

import asyncio
import time
from typing import Any

import pytest

from service_kit.operations import built_once
from service_kit.sharing import Shared


class Work:
    """Counts its runs; each comes to the number of the run, or fails if it is told to."""

    def __init__(self) -> None:
        self.runs = 0
        self.fails = False
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def __call__(self) -> int:
        self.runs += 1
        number = self.runs
        await self.may_end.wait()
        if self.fails:
            raise ConnectionError(f"run {number} failed")
        return number


def shared(work: Work, kept: float = 0, failure_kept: float = 0) -> Shared[int]:
    return Shared(work, kept_seconds=kept, failure_kept_seconds=failure_kept)


async def test_all_who_ask_at_once_share_a_run_and_who_asks_later_has_a_new_one() -> None:
    work = Work()
    one = shared(work)

    assert await asyncio.gather(*(one.get() for _ in range(10))) == [1] * 10
    assert await one.get() == 2


async def test_an_outcome_is_kept_for_its_time() -> None:
    work = Work()
    one = shared(work, kept=0.05)
    started = time.monotonic()

    while await one.get() == 1:
        pass

    assert time.monotonic() - started >= 0.05
    assert work.runs == 2


async def test_a_failure_is_everybodys_and_is_kept_for_a_time_of_its_own() -> None:
    work = Work()
    work.fails = True
    one = shared(work, failure_kept=60)

    outcomes = await asyncio.gather(*(one.get() for _ in range(5)), return_exceptions=True)
    with pytest.raises(ConnectionError, match="run 1 failed"):
        await one.get()

    assert {str(outcome) for outcome in outcomes} == {"run 1 failed"}
    assert work.runs == 1


async def test_what_failed_is_tried_again_where_no_failure_is_kept() -> None:
    work = Work()
    work.fails = True
    one = shared(work, kept=60)
    with pytest.raises(ConnectionError):
        await one.get()
    work.fails = False

    assert [await one.get(), await one.get()] == [2, 2]


async def test_a_caller_that_leaves_takes_nothing_from_the_others() -> None:
    work = Work()
    work.may_end.clear()
    one = shared(work)
    leaves, stays = (asyncio.create_task(one.get()) for _ in range(2))
    await asyncio.sleep(0)

    leaves.cancel()
    await asyncio.sleep(0)
    work.may_end.set()

    assert await stays == 1
    assert leaves.cancelled()


async def test_a_document_that_could_not_be_built_is_built_by_the_next_who_asks() -> None:
    outcomes: list[Any] = [OSError("no such file"), {"openapi": "3.1.1"}]

    def build() -> dict[str, Any]:
        outcome = outcomes.pop(0)
        if isinstance(outcome, OSError):
            raise outcome
        return dict(outcome)

    document = built_once(build)
    with pytest.raises(OSError, match="no such file"):
        await document()

    assert await document() == await document() == {"openapi": "3.1.1"}
