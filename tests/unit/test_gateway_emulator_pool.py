"""The pool of emulators where moments meet that no client can bring about on purpose."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.emulator import Emulator, EmulatorLost
from gateway.emulator_pool import EmulatorPool
from gateway.patience import PATIENCE
from service_kit.metrics import Metrics
from service_kit.problems import Busy, UpstreamTimeout, UpstreamUnavailable
from service_kit.retrying import Backoff

pytestmark = pytest.mark.usefixtures("io_loop")


class SlowEmulator(Emulator):
    """Answers when a test says so, and notices a second invocation."""

    def __init__(self) -> None:
        self.endpoint = "http://emulator"
        self.may_answer = asyncio.Event()
        self.invocations = 0
        self.running = 0

    async def invoke(self, event: bytes) -> bytes:
        assert self.running == 0, "the real one is dead now"
        self.invocations += 1
        self.running += 1
        await self.may_answer.wait()
        self.running -= 1
        return event

    async def is_listening(self) -> bool:
        return True


def a_pool(
    emulator: Emulator,
    *,
    most_waiting: int = 100,
    total: float = 60,
    function_seconds: float = 20,
) -> EmulatorPool:
    patience = replace(
        PATIENCE.emulators,
        most_waiting=most_waiting,
        total=total,
        probes=Backoff(base_seconds=0, cap_seconds=0, attempts=0),
    )
    return EmulatorPool([emulator], function_seconds, patience, Metrics())


async def line_of(pool: EmulatorPool, calls: int) -> None:
    """Wait until so many calls wait."""
    await turns_until(lambda: pool.waiting == calls)


async def turns_until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, looking once in each turn of the loop."""
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0)
    pytest.fail("it did not come")


async def test_a_place_that_comes_at_the_moment_of_leaving_is_given_back() -> None:
    emulator = SlowEmulator()
    pool = a_pool(emulator)
    first = asyncio.create_task(pool.invoke(b"first"))
    leaver = asyncio.create_task(pool.invoke(b"leaver"))
    await line_of(pool, 2)
    await line_of(pool, 1)

    emulator.may_answer.set()
    await line_of(pool, 0)
    leaver.cancel()  # It has its turn, and does not know yet.

    assert await first == b"first"
    await asyncio.wait([leaver])
    assert leaver.cancelled()
    assert await pool.invoke(b"next") == b"next"
    assert emulator.invocations == 2
    await pool.close()


async def test_those_who_leave_make_room_in_the_line() -> None:
    pool = a_pool(SlowEmulator(), most_waiting=2)
    calls = [asyncio.create_task(pool.invoke(b"")) for _ in range(2)]
    await line_of(pool, 2)
    await line_of(pool, 1)
    calls.append(asyncio.create_task(pool.invoke(b"")))
    await line_of(pool, 2)
    with pytest.raises(Busy):
        await pool.invoke(b"")

    for call in calls[1:]:
        call.cancel()
    await asyncio.wait(calls[1:])

    assert pool.waiting == 0
    calls[0].cancel()
    await asyncio.wait(calls)
    await pool.close()


async def test_those_who_wait_are_turned_away_when_the_pool_is_closed() -> None:
    emulator = SlowEmulator()
    pool = a_pool(emulator)
    first = asyncio.create_task(pool.invoke(b"first"))
    waiting = [asyncio.create_task(pool.invoke(b"")) for _ in range(3)]
    await line_of(pool, 4)
    await line_of(pool, 3)
    await turns_until(lambda: emulator.running == 1)

    await pool.close()

    refusals = await asyncio.gather(first, *waiting, return_exceptions=True)
    assert [type(refusal) for refusal in refusals] == [UpstreamUnavailable, Busy, Busy, Busy]


async def test_an_emulator_that_is_silent_long_after_its_time_limit_is_not_alive() -> None:
    emulator = SlowEmulator()
    pool = a_pool(emulator, function_seconds=-PATIENCE.emulators.margin)
    call = asyncio.create_task(pool.invoke(b""))
    await asyncio.wait([call])

    assert isinstance(call.exception(), UpstreamTimeout)
    assert pool.alive == 0
    with pytest.raises(Busy):
        await pool.check()
    emulator.may_answer.set()
    await turns_until(lambda: pool.alive == 1)
    await pool.close()


async def test_to_close_ends_what_runs() -> None:
    emulator = SlowEmulator()
    pool = a_pool(emulator)
    call = asyncio.create_task(pool.invoke(b""))
    await turns_until(lambda: emulator.running == 1)

    await pool.close()

    async with asyncio.timeout(5):
        await asyncio.wait([call])
    assert isinstance(call.exception(), UpstreamUnavailable)


async def test_a_defect_costs_the_call_and_not_the_place() -> None:
    class Defective(SlowEmulator):
        async def invoke(self, event: bytes) -> bytes:
            if not self.invocations:
                self.invocations += 1
                raise ZeroDivisionError
            return event

    pool = a_pool(Defective())

    with pytest.raises(ZeroDivisionError):
        await pool.invoke(b"first")
    assert await pool.invoke(b"second") == b"second"
    await pool.close()


async def test_a_lost_call_whose_time_is_up_waits_no_more() -> None:
    class Dying(SlowEmulator):
        async def invoke(self, event: bytes) -> bytes:
            raise EmulatorLost("gone", was_sent=bool(event))

    pool = a_pool(Dying(), total=0)

    with pytest.raises(UpstreamUnavailable):
        await pool.invoke(b"x")
    await pool.close()
