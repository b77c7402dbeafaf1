"""Processes that die in the middle of load: nothing is lost, nothing is done twice."""

from tests.faults.conftest import Break
from tests.faults.process_faults import AIMED_KILLS, KILLS
from tests.faults.stage import Stage


def test_killed_at_any_moment(stage: Stage, break_it: Break) -> None:
    report = break_it(stage, "processes killed at random", KILLS)

    assert sum(report.struck.values()) >= 2


def test_killed_at_the_worst_moment(stage: Stage, break_it: Break) -> None:
    report = break_it(stage, "processes killed at the worst moment", AIMED_KILLS)

    assert sum(report.struck.values()) >= 2
