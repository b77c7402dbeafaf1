"""Many clients on the same rows: one product in every order, steps of the same orders at once."""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from benchmark.calls import CREATED, load_of
from benchmark.loading import add_orders
from benchmark.stand import Stand
from benchmark.wrk import Burst, WrongAnswersError, burst
from db.connection import DatabaseSettings
from db.doctor.__main__ import examine

CLIENTS = 64
PRODUCTS = 1_000
SIZE = 10 * PRODUCTS
"""Customers of the system: it then has so many products."""
WORKERS = 2
LEAST_SHARE = 0.6
STEPS_A_SECOND = 4_000
_OK, _CONFLICT = 200, 409


@dataclass(frozen=True, slots=True)
class Contention:
    """What came of both: orders a second, and the answers to steps by their status."""

    one_product: float
    many_products: float
    share: float
    share_of_each_round: list[float]
    one_product_p99_ms: float
    many_products_p99_ms: float
    steps_a_second: float
    steps_p99_ms: float
    step_statuses: Mapping[int, int]


def measure_contention(stand: Stand, rounds: Iterable[int], seconds: int) -> Contention:
    """Let 64 clients order one product, then any of 1,000, in turn; then confirm and cancel.

    Raises:
        WrongAnswersError: an answer was a failure (5xx, say), or the database is not sound after.
    """
    one, many, steps = [], [], []
    for _ in rounds:
        one.append(_orders(stand, PRODUCTS // 2, PRODUCTS // 2 + 1, seconds))
        many.append(_orders(stand, 0, PRODUCTS, seconds))
        steps.append(_steps(stand, seconds))
    _check(stand)
    shares = [hot.rate / cold.rate for hot, cold in zip(one, many, strict=True)]
    return Contention(
        one_product=_middle(burst.rate for burst in one),
        many_products=_middle(burst.rate for burst in many),
        share=_middle(shares),
        share_of_each_round=[round(share, 2) for share in shares],
        one_product_p99_ms=_middle(burst.p99_ms for burst in one),
        many_products_p99_ms=_middle(burst.p99_ms for burst in many),
        steps_a_second=_middle(burst.rate for burst in steps),
        steps_p99_ms=_middle(burst.p99_ms for burst in steps),
        step_statuses={
            status: sum(burst.statuses.get(status, 0) for burst in steps)
            for status in sorted({status for burst in steps for status in burst.statuses})
        },
    )


def table(measured: Contention) -> str:
    """Return what was measured, for people."""
    answers = ", ".join(f"{count} of {status}" for status, count in measured.step_statuses.items())
    verdict = "" if measured.share >= LEAST_SHARE else f", less than {LEAST_SHARE:.0%}"
    orders = (
        ("one product", measured.one_product, measured.one_product_p99_ms),
        (f"{PRODUCTS:,} products", measured.many_products, measured.many_products_p99_ms),
    )
    lines = [
        f"{CLIENTS} clients order {what:14} {rate:6.0f} a second, p99 {p99:.0f} ms"
        for what, rate, p99 in orders
    ]
    lines += [f"that is {measured.share:.0%}{verdict}"]
    steps = f"{measured.steps_a_second:.0f} a second, p99 {measured.steps_p99_ms:.0f} ms"
    lines += [f"{CLIENTS} clients confirm and cancel at random: {steps}: {answers}"]
    return "\n".join([*lines, "the doctor finds the database sound"])


def document(measured: Contention) -> dict[str, Any]:
    """Return the same as a JSON value."""
    return asdict(measured)


def _orders(stand: Stand, first: int, end: int, seconds: int) -> Burst:
    products = stand.loaded.products[first:end]
    load = load_of(
        stand,
        "create_order_of_one",
        products=products,
        statuses=(CREATED,),
        text='"status":"CREATED"',
    )
    return burst(load, CLIENTS, seconds)


def _steps(stand: Stand, seconds: int) -> Burst:
    fresh = add_orders(stand.connection, stand.loaded, STEPS_A_SECOND * seconds)
    load = load_of(stand, "random_step", orders=fresh, statuses=(_OK, _CONFLICT), text='"')
    return burst(load, CLIENTS, seconds)


def _check(stand: Stand) -> None:
    wrong = examine(DatabaseSettings.from_environment(stand.system.environment("db")))
    if wrong:
        raise WrongAnswersError("; ".join(wrong))


def _middle(values: Iterable[float]) -> float:
    return round(statistics.median(values), 2)
