"""The memory of each process while all of the system works at full load, for minutes."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from tqdm import tqdm

from benchmark.accounts import Account
from benchmark.calls import CREATED, load_of
from benchmark.stand import Stand
from benchmark.wrk import burst
from local_system.programs import CUSTOMERS, GATEWAY, ORDERS

SIZE = 10_000
WORKERS = 2
MOST_MB = 120
SECONDS = 600
QUICK_SECONDS = 60
_BURST_SECONDS = 10
_CLIENTS = 32
_WARM_UP_SECONDS = 4
_PAUSE_SECONDS = 1.0
_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of each program's largest process in MB, at seconds from the beginning."""

    seconds: Sequence[float]
    mb: Mapping[str, Sequence[float]]
    requests: int

    def grown(self, program: str) -> float:
        """Return by how many MB a program grew from the first tenth to the last."""
        series = self.mb[program]
        tenth = max(1, len(series) // 10)
        return max(series[-tenth:]) - max(series[:tenth])


def measure_memory(stand: Stand, seconds: int) -> Memory:
    """Send creations, reads and orchestrations in turn, and look at the memory once a second."""
    accounts = {name: stand.account(name) for name in (ORDERS, CUSTOMERS, GATEWAY, "emulator-1")}
    expected = {"statuses": (CREATED,), "text": '"status":"'}
    loads = (
        load_of(stand, "create_order_keyed", **expected),
        load_of(stand, "orchestrate", url=stand.system.gateway_url, **expected),
        load_of(stand, "get_order", text='"qty":'),
    )
    for load in loads:  # a function that nobody has called yet is not there
        burst(load, _CLIENTS, _WARM_UP_SECONDS)
    requests = 0
    with _watched(accounts) as (moments, series):
        for number in tqdm(range(seconds // _BURST_SECONDS), desc="  bursts"):
            requests += burst(loads[number % len(loads)], _CLIENTS, _BURST_SECONDS).requests
    return Memory(moments, series, requests)


def table(memory: Memory) -> str:
    """Return what was measured, for people."""
    lines = [f"{memory.requests:,} requests in {memory.seconds[-1]:.0f} s"]
    lines += [
        f"{name:12} {series[0]:6.1f} MB at first, {max(series):6.1f} at the most,"
        f" {memory.grown(name):+.1f} from the first tenth to the last"
        f"{'' if max(series) <= MOST_MB else f': more than {MOST_MB}'}"
        for name, series in memory.mb.items()
    ]
    return "\n".join(lines)


def document(memory: Memory) -> dict[str, Any]:
    """Return the same as a JSON value."""
    return asdict(memory)


@contextmanager
def _watched(
    accounts: Mapping[str, Account],
) -> Iterator[tuple[list[float], dict[str, list[float]]]]:
    moments: list[float] = []
    series: dict[str, list[float]] = {name: [] for name in accounts}
    over = threading.Event()
    began = time.monotonic()

    def watch() -> None:
        while not over.wait(_PAUSE_SECONDS):
            moments.append(round(time.monotonic() - began, 1))
            for name, account in accounts.items():
                series[name].append(round(account.memory_bytes() / _MB, 1))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield moments, series
    finally:
        over.set()
        watcher.join()
