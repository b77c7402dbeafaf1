"""The door of a process: so many at work, others in a line, no more than there is room for."""

import asyncio

import pytest

from service_kit.admission import Admission
from service_kit.problems import Busy


async def entered(admission: Admission, name: str, order: list[str]) -> None:
    await admission.enter()
    order.append(name)


async def settle() -> None:
    """Let what can go on go on."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_those_who_wait_come_in_one_for_each_who_leaves_in_their_order() -> None:
    admission = Admission(most_at_work=2, most_waiting=10)
    order: list[str] = []
    calls = [asyncio.create_task(entered(admission, name, order)) for name in "abcd"]

    await settle()
    assert order == ["a", "b"]
    admission.leave()
    await settle()
    assert order == ["a", "b", "c"]
    admission.leave()
    await asyncio.gather(*calls)
    assert order == ["a", "b", "c", "d"]


async def test_whoever_finds_the_line_full_is_refused_until_it_is_not() -> None:
    admission = Admission(most_at_work=1, most_waiting=1)
    admission.check_room()
    await admission.enter()
    admission.check_room()
    waiting = asyncio.create_task(admission.enter())
    await settle()

    with pytest.raises(Busy):
        admission.check_room()
    admission.leave()
    await waiting
    admission.check_room()


async def test_one_who_gives_up_leaves_no_place_empty() -> None:
    admission = Admission(most_at_work=1, most_waiting=10)
    order: list[str] = []
    await admission.enter()
    first, second = (asyncio.create_task(entered(admission, name, order)) for name in "ab")
    await settle()

    first.cancel()
    admission.leave()
    await second
    assert order == ["b"]


async def test_one_who_gives_up_at_the_very_moment_of_its_turn_hands_it_on() -> None:
    admission = Admission(most_at_work=1, most_waiting=10)
    order: list[str] = []
    await admission.enter()
    first, second = (asyncio.create_task(entered(admission, name, order)) for name in "ab")
    await settle()

    admission.leave()
    first.cancel()
    await second
    assert order == ["b"]


async def test_a_place_is_free_again_when_all_have_left() -> None:
    admission = Admission(most_at_work=1, most_waiting=1)

    for _ in range(3):
        await admission.enter()
        admission.leave()
    async with asyncio.timeout(1):
        await admission.enter()
