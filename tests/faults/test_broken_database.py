"""A database that fails in the middle of load, in every way that one can."""

from tests.faults.conftest import Break
from tests.faults.database_faults import DATABASE_FAULTS, LOST_COMMITS
from tests.faults.lock_faults import LOCKS
from tests.faults.stage import Stage


def test_killed_stopped_full_or_read_only(stage: Stage, break_it: Break) -> None:
    report = break_it(stage, "database killed, stopped, full, read-only", DATABASE_FAULTS)

    assert sum(report.struck.values()) >= 2


def test_replies_to_commit_that_do_not_arrive(stage: Stage, break_it: Break) -> None:
    report = break_it(stage, "replies to COMMIT lost", LOST_COMMITS)

    assert sum(report.struck.values()) >= 2


def test_rows_held_from_outside_and_deadlocks(stage: Stage, break_it: Break) -> None:
    report = break_it(stage, "locks and deadlocks", LOCKS)

    assert sum(report.struck.values()) >= 2
