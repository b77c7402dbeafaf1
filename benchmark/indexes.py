"""What each index of the orders costs `POST /orders`: the call with it and without it, in turn."""

import statistics
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from benchmark.calls import CALLS
from benchmark.loading import Connection
from benchmark.ratios import measure_cost
from benchmark.stand import Stand
from local_system.programs import DATABASE

SIZE = 50_000
INDEXES = {
    "orders_by_time": "created_at, id",
    "orders_by_status": "status, created_at, id",
    "orders_by_customer": "customer_id, created_at, id",
    "orders_by_customer_and_status": "customer_id, status, created_at, id",
}
"""Columns by name, as the migrations make them."""


@dataclass(frozen=True, slots=True)
class Price:
    """CPU of the database for one order, in µs: with an index, and without it."""

    index: str
    with_us: float
    without_us: float
    mb: float

    @property
    def share(self) -> float:
        """Return what the index adds to the cost."""
        return self.with_us / self.without_us - 1


def measure_prices(stand: Stand, rounds: Iterable[int], seconds: int) -> list[Price]:
    """Take orders with each index and without it."""
    costs: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in INDEXES}
    sizes: dict[str, float] = {}
    for _ in rounds:
        for name, (with_it, without_it) in costs.items():
            with_it.append(_cpu_us(stand, seconds))
            all_of_them = _indexes_mb(stand.connection)
            with _dropped(stand.connection, name):
                sizes[name] = round(all_of_them - _indexes_mb(stand.connection), 1)
                without_it.append(_cpu_us(stand, seconds))
    return [
        Price(name, _middle(with_it), _middle(without_it), sizes[name])
        for name, (with_it, without_it) in costs.items()
    ]


def table(prices: Sequence[Price]) -> str:
    """Return what was measured, for people."""
    head = f"{'CPU of the database for one order, in µs':40} {'with':>6} {'without':>8} {'adds':>6}"
    lines = [
        f"{each.index:40} {each.with_us:6.0f} {each.without_us:8.0f} {each.share:6.1%}"
        f"   {each.mb:.0f} MB for {2 * SIZE:,} orders"
        for each in prices
    ]
    return "\n".join([head, *lines])


def document(prices: Sequence[Price]) -> dict[str, Any]:
    """Return the same as a JSON value."""
    return {each.index: {**asdict(each), "share": round(each.share, 3)} for each in prices}


def _cpu_us(stand: Stand, seconds: int) -> float:
    call = next(call for call in CALLS if call.name == "create_order")
    accounts = {DATABASE: stand.account(DATABASE)}
    return measure_cost(call.prepare(stand, seconds), accounts, seconds).cpu_us[DATABASE]


def _middle(values: Sequence[float]) -> float:
    return round(statistics.median(values), 1)


@contextmanager
def _dropped(connection: Connection, index: str) -> Iterator[None]:
    columns = INDEXES[index]
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE orders DROP INDEX {index}")
        yield
        cursor.execute(f"ALTER TABLE orders ADD INDEX {index} ({columns})")


def _indexes_mb(connection: Connection) -> float:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE TABLE orders")
        cursor.fetchall()
        cursor.execute(
            "SELECT index_length / 1048576 FROM information_schema.tables"
            " WHERE table_schema = DATABASE() AND table_name = 'orders'"
        )
        ((size,),) = cursor.fetchall()
        return float(size)
