"""What the whole system does in a second, generator and database on the same processors.

The rate at which requests are answered depends on what else the machine does meanwhile; the CPU
that one request costs all processes does so much less. Both are given.
"""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmark.calls import CREATED, Prepare, load_of, plain
from benchmark.ratios import Cost, measure_cost
from benchmark.stand import Stand
from benchmark.wrk import Load, burst
from local_system.programs import CURL_EMULATOR, GATEWAY, emulator_names

CONNECTIONS = 32
WORKERS = 2
SIZE = 10_000
EMULATORS = "emulators"
_WARM_UP_SECONDS = 4


@dataclass(frozen=True, slots=True)
class Goal:
    """A call, and how many of it a second the system is meant to do."""

    name: str
    title: str
    least_rate: int
    prepare: Prepare


@dataclass(frozen=True, slots=True)
class Reached:
    """Medians over the rounds; ``cpu_us`` is CPU of one request, by process."""

    name: str
    title: str
    least_rate: int
    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: Mapping[str, float]

    @property
    def cpu_seconds(self) -> float:
        """CPU-seconds of the services and the database for a second at this rate."""
        return self.rate * sum(self.cpu_us.values()) / 1e6


def measure_throughput(stand: Stand, rounds: Iterable[int], seconds: int) -> list[Reached]:
    """Run the calls in turn, in several rounds.

    Raises:
        WrongAnswersError: an answer was not what it must be.
    """
    accounts = {
        **stand.accounts(),
        GATEWAY: stand.account(GATEWAY),
        **{name: stand.account(name) for name in _emulators(stand)},
    }
    for goal in GOALS:  # a function that nobody has called yet starts first
        burst(goal.prepare(stand, 1), CONNECTIONS, _WARM_UP_SECONDS)
    costs: dict[str, list[Cost]] = {goal.name: [] for goal in GOALS}
    for _ in rounds:
        for goal in GOALS:
            load = goal.prepare(stand, seconds)
            costs[goal.name].append(measure_cost(load, accounts, seconds, CONNECTIONS))
    return [_reached(goal, costs[goal.name]) for goal in GOALS]


def table(reached: Sequence[Reached]) -> str:
    """Return what was measured, for people."""
    head = f"{'':42} {'a second':>8} {'target':>6} {'p50 ms':>7} {'p99':>7}   µs of CPU"
    return "\n".join([head, *map(_line, reached)])


def document(reached: Sequence[Reached]) -> dict[str, Any]:
    """Return the same as a JSON value."""
    return {each.name: asdict(each) for each in reached}


def _line(each: Reached) -> str:
    cpu = ", ".join(f"{name} {value:.0f}" for name, value in each.cpu_us.items() if value >= 1)
    return (
        f"{each.title:42} {each.rate:8.0f} {each.least_rate:6} {each.p50_ms:7.2f}"
        f" {each.p99_ms:7.2f}   {cpu}: {each.cpu_seconds:.2f} processors"
    )


def _reached(goal: Goal, costs: Sequence[Cost]) -> Reached:
    cpu = {
        name: round(statistics.median(cost.cpu_us[name] for cost in costs), 1)
        for name in costs[0].cpu_us
    }
    emulators = sum(cpu.pop(name) for name in list(cpu) if name.startswith("emulator"))
    return Reached(
        goal.name,
        goal.title,
        goal.least_rate,
        rate=round(statistics.median(cost.burst.rate for cost in costs)),
        p50_ms=round(statistics.median(cost.burst.p50_ms for cost in costs), 2),
        p99_ms=round(statistics.median(cost.burst.p99_ms for cost in costs), 2),
        cpu_us={**cpu, EMULATORS: emulators},
    )


def _emulators(stand: Stand) -> list[str]:
    return [name for name in emulator_names(stand.system.ports) if name != CURL_EMULATOR]


def _orchestrations(stand: Stand, _seconds: int) -> Load:
    return load_of(
        stand,
        "orchestrate",
        url=stand.system.gateway_url,
        statuses=(CREATED,),
        text='"status":"CONFIRMED"',
    )


GOALS = (
    Goal(
        "create_order",
        "POST /orders, 3 items, two workers",
        1_200,
        plain("create_order", statuses=(CREATED,), text='"status":"CREATED"'),
    ),
    Goal("get_order", "GET /orders/:id, two workers", 2_500, plain("get_order", text='"qty":')),
    Goal(
        "orchestrate",
        "create and confirm, two emulators, gateway",
        250,
        _orchestrations,
    ),
)
