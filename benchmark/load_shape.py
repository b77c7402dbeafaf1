"""How two workers take many connections, and more requests than they can answer."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import psutil

from benchmark.calls import CREATED, load_of
from benchmark.connections import Plan
from benchmark.stand import Stand
from benchmark.wrk import WrongAnswersError, burst
from local_system.processes import wait_until
from local_system.programs import ORDERS

CONNECTIONS = 1_000
WORKERS = 2
SIZE = 10_000
OVERLOAD = 5
LEAST_GOODPUT = 0.8
_SATURATING = 64
_MOST_UNDER_WAY = 5_000
_OK, _BUSY = 200, 503
_PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Fairness:
    """What each of many connections got, as shares of what a connection got on average."""

    connections_of_each_worker: list[int]
    rate: float
    least: float
    p5: float
    p95: float
    most: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Overload:
    """Orders a second at capacity, and what becomes of several times as many requests."""

    peak: float
    offered: float
    goodput: float
    share: float
    taken_p50_ms: float
    taken_p99_ms: float
    refused: int
    refused_p50_ms: float
    refused_p99_ms: float


def measure_fairness(stand: Stand, seconds: int) -> Fairness:
    """Send requests over 1,000 connections, one after the other on each.

    Raises:
        WrongAnswersError: one was not answered, or not with 200.
    """
    plan = Plan(
        stand.system.orders_url,
        stand.token,
        seconds,
        CONNECTIONS,
        path=f"/products/{stand.loaded.products[0]}",
    )
    with _clients(plan) as clients:
        spread = _connections_of_workers(stand, seconds)
        tally = _tally(clients, {_OK})
    answers = sorted(tally["answers_of_each"])
    average = statistics.mean(answers)
    shares = [count / average for count in answers]
    latencies = tally["latencies"][str(_OK)]
    return Fairness(
        spread,
        rate=round(sum(answers) / seconds),
        least=round(shares[0], 2),
        p5=round(shares[len(shares) // 20], 2),
        p95=round(shares[-len(shares) // 20], 2),
        most=round(shares[-1], 2),
        p50_ms=_percentile_ms(latencies, 50),
        p99_ms=_percentile_ms(latencies, 99),
    )


def measure_overload(stand: Stand, seconds: int) -> Overload:
    """Find the most orders a second, then ask for five times as many.

    The system has one processor and the clients another one: those who ask for so much would else
    take what it needs to answer.

    Raises:
        WrongAnswersError: an answer was neither an order nor 503.
    """
    load = load_of(stand, "create_order_of_one", statuses=(CREATED,), text='"status":"CREATED"')
    products, customers = stand.loaded.products, stand.loaded.customers
    with _apart(stand):
        peak = burst(load, _SATURATING, seconds).rate
        plan = Plan(
            stand.system.orders_url,
            stand.token,
            seconds,
            _MOST_UNDER_WAY,
            orders_of=(products[0], products[-1]),
            customers=(customers[0], customers[-1]),
            rate=OVERLOAD * peak,
        )
        with _clients(plan) as clients:
            tally = _tally(clients, {CREATED, _BUSY})
    taken = tally["latencies"].get(str(CREATED), [])
    refused = tally["latencies"].get(str(_BUSY), [])
    goodput = tally["in_time"].get(str(CREATED), 0) / seconds
    return Overload(
        peak=round(peak),
        offered=round((tally["sent"] + tally["unsent"]) / seconds),
        goodput=round(goodput),
        share=round(goodput / peak, 2),
        taken_p50_ms=_percentile_ms(taken, 50),
        taken_p99_ms=_percentile_ms(taken, 99),
        refused=len(refused),
        refused_p50_ms=_percentile_ms(refused, 50),
        refused_p99_ms=_percentile_ms(refused, 99),
    )


def table(fairness: Fairness, overload: Overload) -> str:
    """Return what was measured, for people."""
    spread = " and ".join(map(str, fairness.connections_of_each_worker))
    enough = "" if overload.share >= LEAST_GOODPUT else f", less than {LEAST_GOODPUT:.0%}"
    return f"""\
{CONNECTIONS:,} connections, {spread} of each worker: {fairness.rate} requests a second, \
p50 {fairness.p50_ms:.0f} ms, p99 {fairness.p99_ms:.0f} ms
shares of the average connection: {fairness.least:.2f} at the least, {fairness.p5:.2f} to \
{fairness.p95:.2f} mostly, {fairness.most:.2f} at the most
POST /orders at capacity: {overload.peak} a second; of {overload.offered} a second \
{overload.goodput} were taken, {overload.share:.0%}{enough}
taken after {overload.taken_p50_ms:.0f} ms (p99 {overload.taken_p99_ms:.0f}); {overload.refused} \
refused after {overload.refused_p50_ms:.0f} ms (p99 {overload.refused_p99_ms:.0f})"""


def document(fairness: Fairness, overload: Overload) -> dict[str, Any]:
    """Return the same as a JSON value."""
    return {"fairness": asdict(fairness), "overload": asdict(overload)}


@contextmanager
def _apart(stand: Stand) -> Iterator[None]:
    """Keep the services and the database on one processor, and what we start on the others."""
    everywhere = os.sched_getaffinity(0)
    first, *others = sorted(everywhere)
    accounts = stand.accounts().values()
    for account in accounts:
        account.keep_to({first})
    os.sched_setaffinity(0, others or everywhere)
    try:
        yield
    finally:
        os.sched_setaffinity(0, everywhere)
        for account in accounts:
            account.keep_to(everywhere)


@contextmanager
def _clients(plan: Plan) -> "Iterator[subprocess.Popen[str]]":
    with subprocess.Popen(
        [sys.executable, "-m", "benchmark.connections"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as clients:
        assert clients.stdin is not None  # noqa: S101  # it is a pipe
        # By a pipe, not the command line, which anybody on the machine could read.
        clients.stdin.write(json.dumps(asdict(plan)))
        clients.stdin.close()
        clients.stdin = None
        try:
            yield clients
        finally:
            clients.kill()


def _tally(clients: "subprocess.Popen[str]", statuses: set[int]) -> Mapping[str, Any]:
    """Wait for the clients and return what they counted, if there were no other statuses.

    Raises:
        WrongAnswersError: there were.
    """
    said, _ = clients.communicate(timeout=_PATIENCE_SECONDS)
    tally: Mapping[str, Any] = json.loads(said)
    counts = {int(status): len(seconds) for status, seconds in tally["latencies"].items()}
    if not counts or counts.keys() - statuses:
        raise WrongAnswersError(f"answers by their status (0: none): {counts}")
    return tally


def _connections_of_workers(stand: Stand, seconds: int) -> list[int]:
    """Wait until all connections are there, and count those of each worker."""
    spread: list[int] = []

    def are_there() -> bool:
        spread[:] = [
            sum(
                connection.status == psutil.CONN_ESTABLISHED
                and connection.laddr.port == stand.system.ports.orders
                for connection in worker.net_connections("tcp")
            )
            for worker in psutil.Process(stand.account(ORDERS).pid).children()
        ]
        return sum(spread) >= CONNECTIONS

    wait_until(are_there, seconds)
    return sorted(spread)


def _percentile_ms(seconds: Sequence[float], percent: int) -> float:
    if not seconds:
        return 0
    return round(sorted(seconds)[len(seconds) * percent // 100] * 1000, 1)
