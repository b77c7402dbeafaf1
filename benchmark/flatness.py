"""How the cost of a call grows with the data: each call on few rows and on many, in turn.

Two systems run at once, so that both meet the same minutes of a machine that others use as well.
One client calls, so that nobody waits for anybody: p50 is the time of a call by itself. Of several
bursts the least p50 counts, since other work on the machine can only add to it, and the median of
the CPU.
"""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

from benchmark.calls import CALLS, CREATED, Prepare, load_of, plain, steps
from benchmark.ratios import Cost, measure_cost
from benchmark.rows import COMMON_WORD, KINDS, rare_word
from benchmark.stand import Stand, stand
from benchmark.wrk import Load
from local_system.progress import Progress
from service_kit.paging import id_cursor, time_cursor

FEW = 1_000
"""Customers of the small system."""

DATABASE_MEMORY = 4 << 30
"""Bytes of the buffer pool of both: the data have a place in memory, as they would elsewhere."""

PAGE = 20
MOST_GROWTH = 1.3
MOST_GROWTH_OF_A_SEARCH = 3.0
MOST_OF_A_LAST_PAGE = 1.2
_LAST = '"next_cursor":null'


@dataclass(frozen=True, slots=True)
class Probe:
    """A call, and how much dearer it may be among many rows; None: it is shown, not judged."""

    name: str
    title: str
    prepare: Prepare
    most: float | None = MOST_GROWTH


@dataclass(frozen=True, slots=True)
class Growth:
    """A call among few rows and among many: p50 in ms, CPU of all processes in µs."""

    name: str
    title: str
    few_p50_ms: float
    many_p50_ms: float
    few_cpu_us: float
    many_cpu_us: float
    p50_ratio: float
    cpu_ratio: float
    most: float | None

    @property
    def is_good(self) -> bool:
        """Tell whether both ratios are what they may be."""
        return self.most is None or max(self.p50_ratio, self.cpu_ratio) <= self.most


@dataclass(frozen=True, slots=True)
class Depth:
    """A list's last page beside its first one, among many rows."""

    title: str
    p50_ratio: float
    cpu_ratio: float


def measure_flatness(
    probes: Sequence[Probe],
    size: int,
    rounds: Callable[[], Iterable[int]],
    seconds: int,
    progress: Progress,
) -> tuple[list[Growth], list[Depth]]:
    """Measure the probes on `FEW` customers and on ``size`` ones, and pages where both are.

    Raises:
        WrongAnswersError: an answer was not what it must be.
    """
    with ExitStack() as systems:
        pair = [
            systems.enter_context(stand(customers, progress, database_memory=DATABASE_MEMORY))
            for customers in (FEW, size)
        ]
        costs: dict[str, list[list[Cost]]] = {probe.name: [] for probe in probes}
        for _ in rounds():
            for probe in probes:
                costs[probe.name].append([_cost(probe, one, seconds) for one in pair])
    grown = [_growth(probe, costs[probe.name]) for probe in probes]
    lists = [each for each in _LISTS if {*each[1:]} <= costs.keys()]
    return grown, [_depth(title, costs[first], costs[last]) for title, first, last in lists]


def table(grown: Sequence[Growth], depths: Sequence[Depth], size: int) -> str:
    """Return what was measured, for people."""
    head = (
        f"{'p50 in ms, CPU in µs of all processes':44} {FEW:>9,} rows {size:>9,} rows"
        f"   p50 ratio  CPU ratio  allowed"
    )
    lines = [
        f"{each.title:44} {each.few_p50_ms:6.2f} {each.few_cpu_us:7.0f}"
        f" {each.many_p50_ms:6.2f} {each.many_cpu_us:7.0f} {each.p50_ratio:11.2f}"
        f" {each.cpu_ratio:10.2f} {each.most or '':8} {'' if each.is_good else 'too much'}"
        for each in grown
    ]
    lines += [
        f"{'last page / first: ' + each.title:74} {each.p50_ratio:11.2f} {each.cpu_ratio:10.2f}"
        f" {MOST_OF_A_LAST_PAGE:8}"
        for each in depths
    ]
    return "\n".join([head, *lines])


def document(grown: Sequence[Growth], depths: Sequence[Depth], size: int) -> dict[str, Any]:
    """Return the same as a JSON value."""
    return {
        "few": FEW,
        "many": size,
        "calls": {each.name: asdict(each) for each in grown},
        "last_pages": {each.title: asdict(each) for each in depths},
    }


def _cost(probe: Probe, one: Stand, seconds: int) -> Cost:
    return measure_cost(probe.prepare(one, seconds), one.accounts(), seconds, connections=1)


def _growth(probe: Probe, pairs: Sequence[Sequence[Cost]]) -> Growth:
    few, many = ([pair[place] for pair in pairs] for place in (0, 1))
    return Growth(
        probe.name,
        probe.title,
        few_p50_ms=_least_p50(few),
        many_p50_ms=_least_p50(many),
        few_cpu_us=round(statistics.median(map(_cpu, few))),
        many_cpu_us=round(statistics.median(map(_cpu, many))),
        p50_ratio=round(_least_p50(many) / _least_p50(few), 3),
        cpu_ratio=_cpu_ratio(few, many),
        most=probe.most,
    )


def _depth(title: str, first: Sequence[Sequence[Cost]], last: Sequence[Sequence[Cost]]) -> Depth:
    newest, oldest = ([pair[-1] for pair in pairs] for pairs in (first, last))
    ratio = round(_least_p50(oldest) / _least_p50(newest), 3)
    return Depth(title, ratio, _cpu_ratio(newest, oldest))


def _cpu(cost: Cost) -> float:
    return sum(cost.cpu_us.values())


def _cpu_ratio(costs: Sequence[Cost], others: Sequence[Cost]) -> float:
    ratios = (_cpu(other) / _cpu(cost) for cost, other in zip(costs, others, strict=True))
    return round(statistics.median(ratios), 3)


def _least_p50(costs: Iterable[Cost]) -> float:
    return round(min(cost.burst.p50_ms for cost in costs), 3)


def _of_customers(request: str, **expected: Any) -> Prepare:
    def prepare(one: Stand, _seconds: int) -> Load:
        return load_of(one, request, url=one.system.customers_url, **expected)

    return prepare


def _search(words: Callable[[Stand], str]) -> Prepare:
    def prepare(one: Stand, seconds: int) -> Load:
        path = f"/customers?search={words(one)}"
        return _of_customers("path", path=path, text='"data":[{')(one, seconds)

    return prepare


def _rare(one: Stand) -> str:
    """Return a word of one customer, who has the common word as well."""
    middle = len(one.loaded.customers) // 2
    return rare_word(one.loaded.customers[middle] // len(KINDS) * len(KINDS))


def _last_page_of_orders(filters: Mapping[str, str]) -> Prepare:
    asked = "".join(f"&{name}={value}" for name, value in filters.items())
    condition = " AND ".join([f"{name} = %s" for name in filters]) or "TRUE"

    def prepare(one: Stand, seconds: int) -> Load:
        place = _row_after_the_oldest_page(
            one, f"created_at, id FROM orders WHERE {condition}", *filters.values()
        )
        path = f"/orders?limit={PAGE}{asked}&cursor={time_cursor('orders', *place)}"
        return plain("path", path=path, text=_LAST)(one, seconds)

    return prepare


def _last_page_of_customers(one: Stand, seconds: int) -> Load:
    place = _row_after_the_oldest_page(one, "id FROM customers WHERE deleted_at IS NULL")
    path = f"/customers?limit={PAGE}&cursor={id_cursor('customers', *place)}"
    return _of_customers("path", path=path, text=_LAST)(one, seconds)


def _last_page_of_products(one: Stand, seconds: int) -> Load:
    place = _row_after_the_oldest_page(one, "id FROM products")
    path = f"/products?limit={PAGE}&cursor={id_cursor('products', *place)}"
    return plain("path", path=path, text=_LAST)(one, seconds)


def _row_after_the_oldest_page(one: Stand, rows: str, *parameters: str) -> tuple[Any, ...]:
    """Return what a cursor to the last page names; ``rows`` are its columns and where they are."""
    columns, _, _ = rows.partition(" FROM ")
    with one.connection.cursor() as cursor:
        cursor.execute(f"SELECT {rows} ORDER BY {columns} LIMIT 1 OFFSET %s", (*parameters, PAGE))
        return cursor.fetchone() or ()


_CONFIRMED = {"status": "CONFIRMED"}
_MORE = '"next_cursor":"'

_BY_NAME = {call.name: call for call in CALLS}


def _probes(*names: str) -> list[Probe]:
    calls = (_BY_NAME[name] for name in names)
    return [Probe(call.name, call.title, call.prepare) for call in calls]


# A list's last page comes right after its first one; writes, which the server goes on tidying up
# after, come last.
PROBES = (
    *_probes("get_product", "get_order", "list_orders"),
    Probe("last_orders", "GET /orders?limit=20, last page", _last_page_of_orders({})),
    Probe(
        "confirmed_orders",
        "GET /orders?status=CONFIRMED",
        plain("path", path=f"/orders?limit={PAGE}&status=CONFIRMED", text=_MORE),
    ),
    Probe(
        "last_confirmed_orders",
        "GET /orders?status=CONFIRMED, last page",
        _last_page_of_orders(_CONFIRMED),
    ),
    Probe("list_products", "GET /products", plain("path", path="/products", text=_MORE)),
    Probe("last_products", "GET /products, last page", _last_page_of_products),
    Probe("get_customer", "GET /customers/:id", _of_customers("get_customer", text='"email":')),
    Probe("list_customers", "GET /customers", _of_customers("path", path="/customers", text=_MORE)),
    Probe("last_customers", "GET /customers, last page", _last_page_of_customers),
    Probe("search_common", "search of a common word", _search(lambda _: COMMON_WORD), None),
    Probe("search_rare", "search of a rare word", _search(_rare), None),
    Probe(
        "search_both",
        "search of a common word and a rare one",
        _search(lambda one: f"{COMMON_WORD}+{_rare(one)}"),
        MOST_GROWTH_OF_A_SEARCH,
    ),
    *_probes("create_order", "create_order_keyed", "confirm_order"),
    Probe("cancel_order", "POST /orders/:id/cancel", steps("cancel_order", "CANCELED")),
    Probe("change_product", "PATCH /products/:id", plain("change_product", text='"stock":')),
    Probe(
        "create_customer",
        "POST /customers",
        _of_customers("create_customer", statuses=(CREATED,), text='"email":"ops'),
    ),
)

_LISTS = (
    ("GET /orders", "list_orders", "last_orders"),
    ("GET /orders?status=CONFIRMED", "confirmed_orders", "last_confirmed_orders"),
    ("GET /products", "list_products", "last_products"),
    ("GET /customers", "list_customers", "last_customers"),
)
