"""The price of a call, as a ratio to the floor's that is measured in the same minutes.

Other work on the machine changes what a CPU-second is worth, from one second to the next. So CPU
time counts, not the clock, and bursts of the floor stand between those of the calls: each call is
compared with the floors before and after it.
"""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmark.accounts import Account
from benchmark.calls import Call
from benchmark.stand import Stand
from benchmark.wrk import Burst, Load, burst
from local_system.programs import ORDERS

CONNECTIONS = 32
HELLO = "hello"


@dataclass(frozen=True, slots=True)
class Cost:
    """A burst, and the microseconds of CPU that each program spent on one of its requests."""

    burst: Burst
    cpu_us: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Measured:
    """A call over all rounds: medians, and the ratio of each round."""

    name: str
    costs: Sequence[Cost]
    ratios: Sequence[float]

    @property
    def ratio(self) -> float:
        """Requests for each CPU-second of the serving process, as a share of the floor's."""
        return statistics.median(self.ratios)

    def middle(self, value: Callable[[Cost], float]) -> float:
        """Return the median of something over the rounds."""
        return statistics.median(map(value, self.costs))


def measure_cost(
    load: Load, accounts: Mapping[str, Account], seconds: int, connections: int = CONNECTIONS
) -> Cost:
    """Run one burst and take the accounts before and after it."""
    before = {name: account.cpu_seconds() for name, account in accounts.items()}
    done = burst(load, connections, seconds)
    used = {name: account.cpu_seconds() - before[name] for name, account in accounts.items()}
    return Cost(done, {name: spent * 1e6 / done.requests for name, spent in used.items()})


def measure_floor(stand: Stand, seconds: int) -> Cost:
    """Run one burst on the hello world."""
    load = Load(stand.hello_url, HELLO, text="Hello, world")
    return measure_cost(load, {HELLO: stand.hello}, seconds)


def measure_ratios(
    stand: Stand, calls: Sequence[Call], rounds: Iterable[int], seconds: int
) -> tuple[list[Cost], list[Measured]]:
    """Run the calls in turn, a burst of the floor after each, in several rounds.

    Return the floor's costs, and each call's.
    """
    accounts = stand.accounts()
    floors = [measure_floor(stand, seconds)]
    costs: dict[str, list[Cost]] = {call.name: [] for call in calls}
    ratios: dict[str, list[float]] = {call.name: [] for call in calls}
    for _ in rounds:
        for call in calls:
            costs[call.name].append(measure_cost(call.prepare(stand, seconds), accounts, seconds))
            floors.append(measure_floor(stand, seconds))
            floor = statistics.mean(cost.cpu_us[HELLO] for cost in floors[-2:])
            ratios[call.name].append(floor / costs[call.name][-1].cpu_us[ORDERS])
    measured = [Measured(call.name, costs[call.name], ratios[call.name]) for call in calls]
    return floors, measured
