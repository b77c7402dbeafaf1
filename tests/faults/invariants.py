"""What must hold after a run, whatever broke in it: the ledger against the database and over HTTP.

Each check returns the sentences of what is wrong and counts the facts that it looked at.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from db.doctor.findings import Connection, rows
from tests import books
from tests.apis import Api
from tests.faults.ledger import Deed, Kind, Ledger

_PROBLEMS_THAT_MAY_BE = {
    400: set(),
    404: {"CUSTOMER_NOT_FOUND", "PRODUCT_NOT_FOUND", "ORDER_NOT_FOUND"},
    409: {
        "CANCEL_WINDOW_CLOSED",
        "EMAIL_TAKEN",
        "INSUFFICIENT_STOCK",
        "ORDER_NOT_CONFIRMABLE",
        "SKU_TAKEN",
    },
    412: {"PRECONDITION_FAILED"},
    503: {"BUSY", "CUSTOMERS_UNAVAILABLE", "UPSTREAM_UNAVAILABLE"},
    504: {"UPSTREAM_TIMEOUT"},
}


@dataclass(slots=True)
class Findings:
    """What was found: violations, and how many facts were verified."""

    violations: list[str] = field(default_factory=list)
    facts: int = 0

    def check(self, holds: object, what: str) -> None:
        """Note down one fact."""
        self.facts += 1
        if not holds:
            self.violations.append(what)


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """An order as the database has it; ``lines`` are quantity and unit price by product."""

    id: int
    customer_id: int
    status: str
    was_confirmed: bool
    total_cents: int
    lines: Mapping[int, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Stored:
    """What the database holds of a run, read in one snapshot."""

    orders: Mapping[int, StoredOrder]
    stocks: Mapping[int, int]
    keys: Mapping[str, tuple[int, bytes]]
    """Target and stored body by key."""
    mistakes: tuple[str, ...]


def read(connection: Connection) -> Stored:
    """Read all that is there, on a connection that sees one snapshot."""
    lines: dict[int, dict[int, tuple[int, int]]] = defaultdict(dict)
    for order_id, product_id, qty, price in rows(
        connection, "SELECT order_id, product_id, qty, unit_price_cents FROM order_items"
    ):
        lines[order_id][product_id] = (qty, price)
    orders = {
        row[0]: StoredOrder(
            id=row[0],
            customer_id=row[1],
            status=row[2],
            was_confirmed=row[3] is not None,
            total_cents=row[4],
            lines=lines[row[0]],
        )
        for row in rows(
            connection, "SELECT id, customer_id, status, confirmed_at, total_cents FROM orders"
        )
    }
    stocks = dict(rows(connection, "SELECT id, stock FROM products"))
    keys = {
        key.decode(): (target, body)
        for key, target, body in rows(
            connection, "SELECT `key`, target_id, response_body FROM idempotency_keys"
        )
    }
    return Stored(orders, stocks, keys, tuple(books.mistakes(connection)))


def check(ledger: Ledger, stored: Stored, findings: Findings) -> None:
    """Compare what clients were told with what is stored."""
    findings.violations += ledger.violations
    findings.check(not stored.mistakes, f"in the database: {stored.mistakes}")
    for deed in ledger.deeds:
        _check_answers(deed, findings)
    _check_stock(ledger, stored, findings)
    _check_orders(ledger, stored, findings)
    _check_keys(ledger, stored, findings)
    _check_steps(ledger, stored, findings)


async def check_over_http(api: Api, ledger: Ledger, stored: Stored, findings: Findings) -> None:
    """Look for everything that clients were told of as a client does."""
    customers = {deed.value["customer_id"] for deed in ledger.of(*_CREATING)}
    for customer_id in sorted(customers):
        listed = await api.pages(f"/orders?customer_id={customer_id}&limit=100")
        there = {one.id for one in stored.orders.values() if one.customer_id == customer_id}
        findings.check({row["id"] for row in listed} == there, f"list of customer {customer_id}")
        for row in listed:
            order = stored.orders.get(row["id"])
            shown = (row["status"], row["total_cents"])
            is_so = order is not None and shown == (order.status, order.total_cents)
            findings.check(is_so, f"list shows {row}")
    for product_id, stock in stored.stocks.items():
        if product_id in ledger.initial_stock:
            answer = await api.get(f"/products/{product_id}")
            findings.check(answer.json["stock"] == stock, f"{answer.body!r}, stored {stock}")
            changes = [one for one in ledger.of(Kind.PRICE) if one.about == product_id]
            is_last = answer.json["price_cents"] in _last_prices(changes)
            findings.check(is_last or not any(one.is_done for one in changes), f"{answer.body!r}")
    for deed in ledger.of(Kind.PRODUCT):
        answer = await api.get(f"/products/{deed.about}")
        findings.check(answer.json.get("stock") == 7, f"product {deed}")
    ended = {deed.about for deed in ledger.of(Kind.END_OF_CUSTOMER)}
    renamed = {deed.about for deed in ledger.of(Kind.CHANGE_OF_CUSTOMER)}
    for deed in ledger.of(Kind.CUSTOMER):
        answer = await api.get(f"/customers/{deed.about}")
        findings.check((answer.status == 404) == (deed.about in ended), f"customer {deed}")
        if deed.about in renamed - ended:
            findings.check(answer.json["name"] == "New name", f"customer {deed}")


def _last_prices(changes: Sequence[Deed]) -> set[int]:
    """Return what a product may cost in the end: nobody who was told so began after it was over."""
    began = max((one.attempts[0].began for one in changes if one.is_done), default=0.0)
    # What was not answered may take place at any time.
    return {
        one.value["price_cents"]
        for one in changes
        if one.was_in_doubt or (one.is_done and one.attempts[-1].ended > began)
    }


_CREATING = (Kind.ORDER, Kind.ORDER_WITHOUT_KEY, Kind.ORCHESTRATION)


def _check_answers(deed: Deed, findings: Findings) -> None:
    """One key, one answer; no refusal but those of the contract, each "later" with its when."""
    done = [attempt for attempt in deed.attempts if attempt.answer and attempt.answer.status < 300]
    bodies = {_compared(deed, attempt.answer.body) for attempt in done if attempt.answer}
    if deed.key is not None:
        findings.check(len(bodies) <= 1, f"several answers under one key: {deed.key} {bodies}")
    for attempt in deed.attempts:
        answer = attempt.answer
        if answer is None or answer.status < 300:
            continue
        code = answer.json["error"]["code"] if "error" in answer.json else answer.json["code"]
        allowed = code in _PROBLEMS_THAT_MAY_BE.get(answer.status, set())
        findings.check(allowed, f"{deed.kind} was answered {answer.status} {code}: {answer}")
        if answer.status == 503:
            findings.check("Retry-After" in answer.headers, f"503 without Retry-After: {deed.kind}")
        if answer.status < 500:
            earlier = any(one.ended < attempt.began for one in done)
            findings.check(
                not earlier or deed.key is None, f"{deed.kind} {deed.key} refused after it was done"
            )


def _compared(deed: Deed, body: bytes) -> bytes:
    if deed.kind != Kind.ORCHESTRATION:
        return body
    return json.dumps(json.loads(body)["data"]["order"]).encode()


def _check_stock(ledger: Ledger, stored: Stored, findings: Findings) -> None:
    """Stock and the units of living orders are what there was at first, and what was added."""
    held: Counter[int] = Counter()
    for order in stored.orders.values():
        if order.status != "CANCELED":
            held.update({one: qty for one, (qty, _) in order.lines.items()})
    for product_id, initial in ledger.initial_stock.items():
        changes = [deed for deed in ledger.of(Kind.STOCK) if deed.about == product_id]
        added = sum(deed.value["stock_delta"] for deed in changes if deed.is_done)
        left = stored.stocks[product_id]
        findings.check(
            left + held[product_id] == initial + added,
            f"product {product_id}: {left} left and {held[product_id]} held,"
            f" from {initial} and {added}",
        )


def _check_orders(ledger: Ledger, stored: Stored, findings: Findings) -> None:
    """Each order was asked for once, is as it was asked for, and its client knows of it."""
    told = [deed for deed in ledger.of(*_CREATING) if deed.is_done]
    findings.check(len({deed.about for deed in told}) == len(told), "two deeds, one order")
    for deed in told:
        order = stored.orders.get(deed.about)
        findings.check(order is not None, f"told of order {deed.about}, which is not there")
        if order is not None:
            _check_order(deed, order, ledger, findings)
    customers = {deed.value["customer_id"] for deed in ledger.of(*_CREATING)}
    known = {deed.about for deed in told}
    unsure = Counter(
        _asked_for(deed) for deed in ledger.of(Kind.ORDER_WITHOUT_KEY) if deed.is_unknowable
    )
    for order in stored.orders.values():
        if order.customer_id in customers and order.id not in known:
            shape = (order.customer_id, *sorted((one, q) for one, (q, _) in order.lines.items()))
            findings.check(unsure[shape] > 0, f"order {order.id} is there and nobody was told")
            findings.check(
                order.status == "CREATED", f"order {order.id}, of nobody: {order.status}"
            )
            unsure[shape] -= 1


def _check_order(deed: Deed, order: StoredOrder, ledger: Ledger, findings: Findings) -> None:
    shape = (order.customer_id, *sorted((one, qty) for one, (qty, _) in order.lines.items()))
    findings.check(
        shape == _asked_for(deed), f"order {order.id} is {shape}, {deed.value} was asked"
    )
    for product_id, (_, price) in order.lines.items():
        findings.check(price in ledger.prices[product_id], f"order {order.id}: price {price}")
    if deed.last is not None:
        document = deed.last.json
        if deed.kind == Kind.ORCHESTRATION:
            document = document["data"]["order"]
            findings.check(document["status"] == "CONFIRMED", f"orchestrated: {document}")
            findings.check(order.was_confirmed, f"order {order.id} was told to be confirmed")
        lines = {
            one["product_id"]: (one["qty"], one["unit_price_cents"]) for one in document["items"]
        }
        findings.check(lines == dict(order.lines), f"order {order.id} was told otherwise: {lines}")
        findings.check(document["total_cents"] == order.total_cents, f"order {order.id}: total")


def _asked_for(deed: Deed) -> tuple[Any, ...]:
    quantities: Counter[int] = Counter()
    for line in deed.value["items"]:
        quantities[line["product_id"]] += line["qty"]
    return (deed.value["customer_id"], *sorted(quantities.items()))


def _check_keys(ledger: Ledger, stored: Stored, findings: Findings) -> None:
    """A key stands with its effect and the answer that was told, or not at all."""
    for deed in ledger.of(Kind.ORDER, Kind.CONFIRM, Kind.CANCEL):
        if deed.key is None:
            continue
        found = stored.keys.get(deed.key)
        if deed.is_done and deed.last is not None:
            findings.check(
                found == (deed.about, deed.last.body), f"key {deed.key}: {found}, told {deed.last}"
            )
        elif deed.is_refused:
            findings.check(found is None, f"key {deed.key} was refused, and stands: {deed}")


def _check_steps(ledger: Ledger, stored: Stored, findings: Findings) -> None:
    """What was told of an order's steps is what became of it."""
    wanted: dict[tuple[str, int], list[Deed]] = defaultdict(list)
    for deed in ledger.of(Kind.CONFIRM, Kind.CANCEL):
        wanted[deed.kind, deed.about].append(deed)
    for (kind, order_id), deeds in wanted.items():
        order = stored.orders.get(order_id)
        if order is None:  # said above, of who created it
            continue
        done = any(deed.is_done for deed in deeds)
        if kind == Kind.CANCEL:
            findings.check(
                done == (order.status == "CANCELED"), f"order {order_id}: {order.status}"
            )
            continue
        is_so = done == order.was_confirmed
        findings.check(is_so, f"order {order_id}: told {done}, confirmed {order.was_confirmed}")
        if not done:
            is_canceled = order.status == "CANCELED"
            findings.check(is_canceled, f"order {order_id} was not confirmed without a reason")
    orchestrated = {deed.about for deed in ledger.of(Kind.ORCHESTRATION)}
    for order_id in {deed.about for deed in ledger.of(*_CREATING)} & stored.orders.keys():
        order = stored.orders[order_id]
        if order.status == "CANCELED":
            was_asked = (Kind.CANCEL, order_id) in wanted
            findings.check(was_asked, f"order {order_id} is canceled and nobody asked for it")
        if order.was_confirmed:
            was_asked = (Kind.CONFIRM, order_id) in wanted or order_id in orchestrated
            findings.check(was_asked, f"order {order_id} is confirmed and nobody asked for it")
