"""Wires between the processes that fail in the middle of load, and a Customers API that lies."""

from tests.faults.conftest import Break
from tests.faults.process_faults import FROZEN_FUNCTION, KILL_BETWEEN_CREATE_AND_CONFIRM
from tests.faults.stage import CLIENTS_HOP, DATABASE_HOPS, HTTP_HOPS, Stage
from tests.faults.wire_faults import STRANGE_CUSTOMERS, wire_faults


def test_every_hop_cut_silent_slow_or_halved(wired_stage: Stage, break_it: Break) -> None:
    hops = (CLIENTS_HOP, *HTTP_HOPS, *DATABASE_HOPS)
    report = break_it(wired_stage, "every hop cut", wire_faults(hops))

    assert sum(report.struck.values()) >= 2


def test_a_customers_api_that_is_slow_or_lies(wired_stage: Stage, break_it: Break) -> None:
    report = break_it(wired_stage, "Customers API slow or lying", STRANGE_CUSTOMERS)

    assert sum(report.struck.values()) >= 2


def test_a_function_killed_or_stopped_between_its_steps(
    wired_stage: Stage, break_it: Break
) -> None:
    strikes = (KILL_BETWEEN_CREATE_AND_CONFIRM, FROZEN_FUNCTION)
    report = break_it(wired_stage, "function killed or stopped between its steps", strikes)

    assert sum(report.struck.values()) >= 1
