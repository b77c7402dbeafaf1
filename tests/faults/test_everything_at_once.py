"""All faults beside one another, and more clients than the system has places for."""

from tests.faults.conftest import Break
from tests.faults.database_faults import DATABASE_FAULTS
from tests.faults.lock_faults import LOCKS
from tests.faults.process_faults import KILLS
from tests.faults.stage import CLIENTS_HOP, HTTP_HOPS, POOL, WORKERS, Stage
from tests.faults.wire_faults import STRANGE_CUSTOMERS, wire_faults

LONGEST_ANSWER_SECONDS = 60
"""What the gateway gives a call, the wait for its turn included."""
RECOVERY_SECONDS = 5


def test_processes_database_locks_and_hops_at_once(wired_stage: Stage, break_it: Break) -> None:
    hops = wire_faults((CLIENTS_HOP, *HTTP_HOPS))
    report = break_it(
        wired_stage, "all at once", KILLS, DATABASE_FAULTS, LOCKS, (*hops, *STRANGE_CUSTOMERS)
    )

    assert sum(report.struck.values()) >= 4


def test_ten_times_more_clients_than_connections(stage: Stage, break_it: Break) -> None:
    clients = 10 * POOL * WORKERS
    report = break_it(stage, f"{clients} clients for {POOL * WORKERS} connections", clients=clients)

    assert report.slowest_seconds < LONGEST_ANSWER_SECONDS
    assert report.recovery_seconds < RECOVERY_SECONDS
    assert set(report.told) <= {"200", "201", "204", "404", "409", "412", "503"}
