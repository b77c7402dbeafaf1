"""Throughput and latency against the number of clients, and what a second worker brings."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmark.calls import CALLS, Call
from benchmark.ratios import Cost, measure_cost
from benchmark.stand import Stand
from local_system.programs import ORDERS

SIZE = 10_000
WORKERS = 2
CLIENTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
LEAST_GAIN = 1.7
NAMES = ("get_order", "create_order")
_SATURATING = 64


@dataclass(frozen=True, slots=True)
class Point:
    """A call by so many clients."""

    clients: int
    rate: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A call by few clients up to many."""

    name: str
    title: str
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Gain:
    """What so many workers can do, for each that one can do, by the CPU that a request costs them.

    On two processors the generator and the database take what a second worker would need, so the
    rates cannot tell. A worker can do as many requests as fit into a second of CPU; what workers
    take from each other (a shared lock, metrics in shared files) makes a request dearer.
    """

    name: str
    title: str
    one_us: float
    several_us: float

    @property
    def gain(self) -> float:
        """Return how many times as many requests fit into the workers' seconds of CPU."""
        return WORKERS * self.one_us / self.several_us


def measure_curves(stand: Stand, seconds: int) -> list[Curve]:
    """Send each call by ever more clients."""
    return [_curve(stand, call, seconds) for call in _calls()]


def measure_gains(one: Stand, several: Stand, rounds: Iterable[int], seconds: int) -> list[Gain]:
    """Compare what a request costs one worker, and each of several, in turn."""
    costs: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in NAMES}
    for _ in rounds:
        for call in _calls():
            for stand, spent in zip((one, several), costs[call.name], strict=True):
                spent.append(_cost(stand, call, _SATURATING, seconds).cpu_us[ORDERS])
    return [
        Gain(call.name, call.title, *(round(min(spent), 1) for spent in costs[call.name]))
        for call in _calls()
    ]


def table(curves: Sequence[Curve], gains: Sequence[Gain]) -> str:
    """Return what was measured, for people."""
    lines = [f"{'':30} {'clients':>7} {'a second':>8} {'p50 ms':>7} {'p99':>7}"]
    lines += [
        f"{curve.title:30} {point.clients:7} {point.rate:8.0f} {point.p50_ms:7.2f}"
        f" {point.p99_ms:7.2f}"
        for curve in curves
        for point in curve.points
    ]
    lines += [
        f"{WORKERS} workers can do {each.gain:.2f} times what one can (target {LEAST_GAIN}):"
        f" {each.title}, {each.one_us:.0f} and {each.several_us:.0f} µs of CPU each"
        for each in gains
    ]
    return "\n".join(lines)


def document(curves: Sequence[Curve], gains: Sequence[Gain]) -> dict[str, Any]:
    """Return the same as a JSON value."""
    return {
        "curves": {curve.name: asdict(curve) for curve in curves},
        "gains": {each.name: {**asdict(each), "gain": round(each.gain, 2)} for each in gains},
    }


def _calls() -> list[Call]:
    return [call for call in CALLS if call.name in NAMES]


def _curve(stand: Stand, call: Call, seconds: int) -> Curve:
    points = []
    for clients in CLIENTS:
        done = _cost(stand, call, clients, seconds).burst
        points.append(Point(clients, round(done.rate), done.p50_ms, done.p99_ms))
    return Curve(call.name, call.title, points)


def _cost(stand: Stand, call: Call, clients: int, seconds: int) -> Cost:
    return measure_cost(call.prepare(stand, seconds), stand.accounts(), seconds, clients)
