"""What was measured, as a JSON document and as a table for the terminal."""

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.calls import CALLS
from benchmark.ratios import CONNECTIONS, HELLO, Cost, Measured
from benchmark.sql_floor import SqlCost

_TITLES = {call.name: call.title for call in CALLS}
_TARGETS = {call.name: call.target for call in CALLS}


def document(
    floors: Sequence[Cost], measured: Sequence[Measured], sql: Mapping[str, SqlCost]
) -> dict[str, Any]:
    """Return everything as a JSON value; ``ratios`` is flat, by the names of the calls."""
    return {
        "ratios": {call.name: round(call.ratio, 3) for call in measured},
        "targets": {call.name: _TARGETS[call.name] for call in measured},
        "hello": {"requests_per_second": _rate(floors), "cpu_us": _floor_us(floors)},
        "calls": {call.name: _call(call) for call in measured},
        "sql_alone": {
            name: {"per_second": round(cost.rate), "cpu_us": round(cost.cpu_us, 1)}
            for name, cost in sql.items()
        },
        "connections": CONNECTIONS,
        "machine": {
            "processors": os.cpu_count(),
            "python": platform.python_version(),
            "load": os.getloadavg()[0],
        },
    }


def table(floors: Sequence[Cost], measured: Sequence[Measured], sql: Mapping[str, SqlCost]) -> str:
    """Return the same for people."""
    head = (
        f"{'':34} {'ratio':>6} {'target':>6} {'req/s':>7} {'p50 ms':>7} {'p95':>7} {'p99':>7}"
        f" {'µs CPU: orders':>15} {'customers':>10} {'database':>9} {'SQL alone':>10}"
    )
    hello = f"{'hello world, Tornado and uvloop':34} {1:6.2f} {'':6} {_rate(floors):7}"
    floor_ms = [
        statistics.median(getattr(cost.burst, name) for cost in floors) for name in _PERCENTILES
    ]
    hello += "".join(f" {value:7.2f}" for value in floor_ms) + f" {_floor_us(floors):15.0f}"
    return "\n".join([head, hello, *(_line(call, sql.get(call.name)) for call in measured)])


_PERCENTILES = ("p50_ms", "p95_ms", "p99_ms")


def _line(call: Measured, sql: SqlCost | None) -> str:
    values = _call(call)
    cpu = values["cpu_us"]
    return (
        f"{_TITLES[call.name]:34} {call.ratio:6.3f} {_TARGETS[call.name]:6.2f}"
        f" {values['requests_per_second']:7}"
        + "".join(f" {values[name]:7.2f}" for name in _PERCENTILES)
        + f" {cpu['orders']:15.0f} {cpu['customers']:10.0f} {cpu['database']:9.0f}"
        + (f" {sql.cpu_us:10.0f}" if sql else "")
    )


def _call(call: Measured) -> dict[str, Any]:
    return {
        "requests_per_second": round(call.middle(lambda cost: cost.burst.rate)),
        "p50_ms": round(call.middle(lambda cost: cost.burst.p50_ms), 3),
        "p95_ms": round(call.middle(lambda cost: cost.burst.p95_ms), 3),
        "p99_ms": round(call.middle(lambda cost: cost.burst.p99_ms), 3),
        "cpu_us": {
            name: round(statistics.median(cost.cpu_us[name] for cost in call.costs), 1)
            for name in call.costs[0].cpu_us
        },
        "checked": sum(cost.burst.checked for cost in call.costs),
        "ratio_of_each_round": [round(ratio, 3) for ratio in call.ratios],
    }


def _rate(floors: Sequence[Cost]) -> int:
    return round(statistics.median(cost.burst.rate for cost in floors))


def _floor_us(floors: Sequence[Cost]) -> float:
    return round(statistics.median(cost.cpu_us[HELLO] for cost in floors), 1)
