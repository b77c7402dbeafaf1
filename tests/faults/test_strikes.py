"""Each kind of fault has its turn, and a long run does not end before each has struck."""

import asyncio
import random
import time
from collections import Counter
from typing import Any

import pytest

from tests.faults.run import SHORT_SCALE, Plan, missing, strike
from tests.faults.scene import Scene, Strike

NAMES = ("one", "two", "three")
NO_STAGE: Any = None


class Hurried(random.Random):
    """Leaves no time between strikes."""

    def uniform(self, _a: float, _b: float) -> float:
        return 0.0


def kind(name: str, *, misses: int = 0) -> Strike:
    """Return a kind of fault that finds nothing to strike the first few times."""
    tries: list[float] = []

    async def act(scene: Scene) -> None:
        tries.append(scene.scale)
        scene.struck[name] += len(tries) > misses

    return Strike(name, act)


def struck_by(group: list[Strike], *, seconds: float = 0, is_long: bool = False) -> Counter[str]:
    scene = Scene(NO_STAGE, random.Random(1), (), SHORT_SCALE)
    plan = Plan("a run", [group], seconds, seed=1, is_long=is_long)
    end = time.monotonic() + seconds
    asyncio.run(strike(plan, scene, group, end, Hurried(1)))
    return scene.struck


def test_a_short_run_has_a_few_strikes_however_little_time_there_is() -> None:
    assert struck_by([kind(name) for name in NAMES]).total() == 2


def test_no_kind_strikes_twice_more_than_another() -> None:
    counts = struck_by([kind(name) for name in NAMES], seconds=0.05).values()

    assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize("misses", [0, 3])
def test_a_long_run_goes_on_until_each_kind_has_struck(misses: int) -> None:
    group = [kind(name, misses=misses) for name in NAMES]

    assert missing(group, struck_by(group, is_long=True)) == []


def test_the_faults_of_a_long_run_last_as_long_as_its_time_allows() -> None:
    plan = Plan("a run", [], 60, seed=1, is_long=True)

    assert [plan.scale(seconds) for seconds in (-1, 7.5, 15, 60)] == [SHORT_SCALE, 0.5, 1, 1]
    assert Plan("a run", [], 60, seed=1).scale(60) == SHORT_SCALE
