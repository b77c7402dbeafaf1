"""All faults beside one another, and more clients than the system has places for."""

from tests.faults.conftest import Break
from tests.faults.database_faults import DATABASE_FAULTS
from tests.faults.lock_faults import LOCKS
from tests.faults.overload import NO_ROOM_LEFT
from tests.faults.process_faults import KILLS
from tests.faults.stage import CLIENTS_HOP, HTTP_HOPS, POOL, WORKERS, Stage
from tests.faults.wire_faults import ASKED_FOR_CUSTOMERS, STRANGE_CUSTOMERS, wire_faults

LONGEST_ANSWER_SECONDS = 60
"""What the gateway gives a call, the wait for its turn included."""
RECOVERY_SECONDS = 5


def test_processes_database_locks_and_hops_at_once(wired_stage: Stage, break_it: Break) -> None:
    # A wire has one fault at a time: those on which Customers is asked are for its lies.
    hops = wire_faults((CLIENTS_HOP, *(hop for hop in HTTP_HOPS if hop not in ASKED_FOR_CUSTOMERS)))
    report = break_it(
        wired_stage, "all at once", KILLS, DATABASE_FAULTS, LOCKS, hops, STRANGE_CUSTOMERS
    )

    assert sum(report.struck.values()) >= 4


def test_ten_times_more_clients_than_connections(stage: Stage, break_it: Break) -> None:
    clients = 10 * POOL * WORKERS
    name = f"{clients} clients for {POOL * WORKERS} connections"
    report = break_it(stage, name, (NO_ROOM_LEFT,), clients=clients)

    assert report.struck[NO_ROOM_LEFT.name] >= 1
    assert report.told["503"] >= 1
    assert report.slowest_seconds < LONGEST_ANSWER_SECONDS
    assert report.recovery_seconds < RECOVERY_SECONDS
    assert set(report.told) <= {"200", "201", "204", "404", "409", "412", "503", "504"}
