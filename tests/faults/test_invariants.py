"""The check of a run finds what is wrong: sound books are doctored, and each change is named."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from multidict import CIMultiDict

from tests.apis import Answer
from tests.faults.invariants import Findings, Stored, StoredOrder, check, check_over_http
from tests.faults.ledger import Attempt, Deed, Kind, Ledger

CUSTOMER, GUEST, PRODUCT, OWN_PRODUCT = 1, 2, 7, 8
KEPT, CANCELED, ORCHESTRATED, UNSURE = 100, 101, 102, 103
OLD_PRICE, PRICE = 4, 5


def order(number: int, qty: int, status: str, **changes: Any) -> dict[str, Any]:
    """Return an order as clients see it."""
    line = {"product_id": PRODUCT, "qty": qty, "unit_price_cents": PRICE}
    items = [{**line, "subtotal_cents": qty * PRICE}]
    shown = {"id": number, "status": status, "total_cents": qty * PRICE, "items": items}
    return {**shown, "customer_id": CUSTOMER, **changes}


def a_product(stock: int, price_cents: int = PRICE) -> Answer:
    return answer(200, {"stock": stock, "price_cents": price_cents})


def answer(status: int, value: Any, **headers: str) -> Answer:
    return Answer(status, CIMultiDict(headers), json.dumps(value).encode())


def stored_order(number: int, qty: int, status: str, *, was_confirmed: bool) -> StoredOrder:
    lines = {PRODUCT: (qty, PRICE)}
    return StoredOrder(number, CUSTOMER, status, was_confirmed, qty * PRICE, lines)


@dataclass(slots=True)
class Books:
    """A run in which all is well, until it is doctored."""

    ledger: Ledger = field(default_factory=Ledger)
    stored: Stored = field(init=False)
    shown: dict[str, Answer] = field(default_factory=dict)
    listed: list[dict[str, Any]] = field(default_factory=list)
    moment: float = 0

    def __post_init__(self) -> None:
        self.ledger.initial_stock[PRODUCT] = 20
        self.ledger.prices[PRODUCT] = {PRICE}
        self.take(Kind.ORDER, KEPT, 2, "kept")
        self.tell(Kind.CONFIRM, {}, KEPT, "confirmed", answer(200, order(KEPT, 2, "CONFIRMED")))
        self.take(Kind.ORDER, CANCELED, 1, "given back")
        self.tell(
            Kind.CANCEL, {}, CANCELED, "canceled", answer(200, order(CANCELED, 1, "CANCELED"))
        )
        data = {"success": True, "data": {"order": order(ORCHESTRATED, 3, "CONFIRMED")}}
        asked = asked_for(3)
        self.tell(Kind.ORCHESTRATION, asked, ORCHESTRATED, "orchestrated", answer(201, data))
        self.tell(Kind.ORDER, asked_for(9), 0, "too many", refused(409, "INSUFFICIENT_STOCK"))
        self.tell(Kind.STOCK, {"stock_delta": 4}, PRODUCT, None, answer(200, {}))
        for price in (OLD_PRICE, PRICE):
            self.tell(Kind.PRICE, {"price_cents": price}, PRODUCT, None, answer(200, {}))
        unsure = self.tell(Kind.ORDER_WITHOUT_KEY, asked_for(1), 0, None, None)
        unsure.is_unknowable = True
        self.tell(Kind.PRODUCT, {}, OWN_PRODUCT, None, answer(201, {}))
        self.tell(Kind.CUSTOMER, {}, GUEST, None, answer(201, {}))
        self.tell(Kind.CHANGE_OF_CUSTOMER, {}, GUEST, None, answer(200, {}))
        orders = (
            stored_order(KEPT, 2, "CONFIRMED", was_confirmed=True),
            stored_order(CANCELED, 1, "CANCELED", was_confirmed=False),
            stored_order(ORCHESTRATED, 3, "CONFIRMED", was_confirmed=True),
            stored_order(UNSURE, 1, "CREATED", was_confirmed=False),
        )
        keyed = [deed for deed in self.ledger.deeds if deed.key and deed.is_done and deed.last]
        self.stored = Stored(
            orders={one.id: one for one in orders},
            stocks={PRODUCT: 20 + 4 - 2 - 3 - 1, OWN_PRODUCT: 7},
            keys={str(one.key): (one.about, one.last.body) for one in keyed if one.last},
            mistakes=(),
        )
        self.shown = {
            f"/products/{PRODUCT}": a_product(18),
            f"/products/{OWN_PRODUCT}": answer(200, {"stock": 7}),
            f"/customers/{GUEST}": answer(200, {"name": "New name"}),
        }
        self.listed = [
            {"id": one.id, "status": one.status, "total_cents": one.total_cents} for one in orders
        ]

    def take(self, kind: str, number: int, qty: int, key: str) -> None:
        """Add an order that was told."""
        self.tell(kind, asked_for(qty), number, key, answer(201, order(number, qty, "CREATED")))

    def tell(self, kind: str, value: Any, about: int, key: str | None, told: Answer | None) -> Deed:
        """Add a deed with one answer."""
        deed = self.ledger.open(kind, value, key, about)
        self.again(deed, told)
        return deed

    def again(self, deed: Deed, told: Answer | None) -> None:
        """Add an attempt after all others."""
        deed.attempts.append(Attempt(told, self.moment + 1, self.moment + 2))
        self.moment += 2

    def deed(self, key: str) -> Deed:
        """Return the deed under a key."""
        (found,) = (deed for deed in self.ledger.deeds if deed.key == key)
        return found

    def change(self, number: int, **changes: Any) -> None:
        """Doctor an order in the database."""
        changed = replace(self.stored.orders[number], **changes)
        self.stored = replace(self.stored, orders={**self.stored.orders, number: changed})

    def lose(self, number: int) -> None:
        """Take an order out of the database."""
        left = {one.id: one for one in self.stored.orders.values() if one.id != number}
        self.stored = replace(self.stored, orders=left)

    def key(self, key: str, value: tuple[int, bytes] | None) -> None:
        """Doctor a key in the database."""
        keys = {**self.stored.keys, key: value}
        kept = {name: found for name, found in keys.items() if found is not None}
        self.stored = replace(self.stored, keys=kept)

    def stock(self, units: int) -> None:
        """Doctor the stock in the database."""
        self.stored = replace(self.stored, stocks={**self.stored.stocks, PRODUCT: units})


@dataclass(frozen=True, slots=True)
class Shop:
    """Answers what the books say is shown."""

    books: Books

    async def get(self, path: str) -> Answer:
        return self.books.shown[path]

    async def pages(self, _path: str) -> list[dict[str, Any]]:
        return self.books.listed


def asked_for(qty: int) -> dict[str, Any]:
    return {"customer_id": CUSTOMER, "items": [{"product_id": PRODUCT, "qty": qty}]}


def refused(status: int, code: str, **headers: str) -> Answer:
    return answer(status, {"code": code}, **headers)


def found(books: Books) -> list[str]:
    findings = Findings()
    check(books.ledger, books.stored, findings)
    over_http = check_over_http(Shop(books), books.ledger, books.stored, findings)  # type: ignore[arg-type]  # all of an Api that it needs
    asyncio.run(over_http)
    assert findings.facts > 20
    return findings.violations


def other_body(books: Books) -> None:
    again = order(KEPT, 2, "CREATED", total_cents=11)
    books.again(books.deed("kept"), answer(201, again))


def told_of_one_order_twice(books: Books) -> None:
    books.take(Kind.ORDER, KEPT, 2, "another")
    books.key("another", (KEPT, books.stored.keys["kept"][1]))


def order_that_nobody_asked_for(books: Books) -> None:
    one = stored_order(104, 3, "CREATED", was_confirmed=False)
    books.stored = replace(books.stored, orders={**books.stored.orders, 104: one})
    books.stock(15)


def told_otherwise(**changes: Any) -> Callable[[Books], None]:
    def do(books: Books) -> None:
        told = answer(201, order(KEPT, 2, "CREATED", **changes))
        books.deed("kept").attempts[-1] = replace(books.deed("kept").attempts[-1], answer=told)
        books.key("kept", (KEPT, told.body))

    return do


def orchestrated_but_not_confirmed(books: Books) -> None:
    books.change(ORCHESTRATED, was_confirmed=False)


def not_confirmed_for_nothing(books: Books) -> None:
    confirmation = books.deed("confirmed")
    confirmation.attempts.clear()
    books.again(confirmation, refused(409, "ORDER_NOT_CONFIRMABLE"))
    books.change(KEPT, was_confirmed=False, status="CREATED")
    books.key("confirmed", None)


def canceled_without_wish(books: Books) -> None:
    books.change(KEPT, status="CANCELED")
    books.stock(20)


def shows(path: str, told: Answer) -> Callable[[Books], None]:
    return lambda books: books.shown.update({path: told})


DOCTORED: dict[str, tuple[Callable[[Books], object], str]] = {
    "an order is gone": (lambda b: b.lose(KEPT), f"told of order {KEPT}, which is not there"),
    "an order that nobody asked for": (order_that_nobody_asked_for, "104 is there and nobody"),
    "a lost order's other half": (lambda b: b.lose(UNSURE), f"product {PRODUCT}: 18 left"),
    "one order for two": (told_of_one_order_twice, "two deeds, one order"),
    "a unit too many": (lambda b: b.stock(19), f"product {PRODUCT}: 19 left"),
    "a unit too few": (lambda b: b.stock(17), f"product {PRODUCT}: 17 left"),
    "another quantity": (
        lambda b: b.change(KEPT, lines={PRODUCT: (3, PRICE)}),
        f"order {KEPT} is (1, (7, 3))",
    ),
    "another customer's order": (lambda b: b.change(KEPT, customer_id=3), f"order {KEPT} is (3,"),
    "a price that never was": (
        lambda b: b.change(KEPT, lines={PRODUCT: (2, 6)}),
        f"order {KEPT}: price 6",
    ),
    "another total than was told": (
        told_otherwise(total_cents=11),
        f"order {KEPT}: total",
    ),
    "other lines than were told": (told_otherwise(items=[]), f"order {KEPT} was told otherwise"),
    "a key is gone": (lambda b: b.key("kept", None), "key kept: None"),
    "a key with another answer": (lambda b: b.key("kept", (KEPT, b"{}")), "key kept: (100, b'{}')"),
    "a key of another order": (
        lambda b: b.key("confirmed", (CANCELED, b.stored.keys["confirmed"][1])),
        "key confirmed: (101,",
    ),
    "a refused key stands": (lambda b: b.key("too many", (KEPT, b"")), "key too many was refused"),
    "two answers under one key": (other_body, "several answers under one key: kept"),
    "refused after it was done": (
        lambda b: b.again(b.deed("kept"), refused(409, "INSUFFICIENT_STOCK")),
        "order kept refused after it was done",
    ),
    "a failure that nobody foresaw": (
        lambda b: b.again(b.deed("too many"), refused(500, "INTERNAL_ERROR")),
        "answered 500 INTERNAL_ERROR",
    ),
    "a refusal of somebody else": (
        lambda b: b.again(b.deed("too many"), refused(422, "VALIDATION_FAILED")),
        "answered 422 VALIDATION_FAILED",
    ),
    "later, but not when": (
        lambda b: b.again(b.deed("too many"), refused(503, "BUSY")),
        "503 without Retry-After",
    ),
    "told to be confirmed": (
        lambda b: b.change(KEPT, was_confirmed=False),
        "order 100: told True, confirmed False",
    ),
    "confirmed without a word": (
        lambda b: b.deed("confirmed").attempts.clear(),
        "order 100: told False, confirmed True",
    ),
    "confirmed without wish": (
        lambda b: b.change(CANCELED, was_confirmed=True),
        "101 is confirmed and nobody asked for it",
    ),
    "not confirmed for nothing": (not_confirmed_for_nothing, "100 was not confirmed without a"),
    "nobody's order confirmed": (
        lambda b: b.change(UNSURE, status="CONFIRMED"),
        "order 103, of nobody: CONFIRMED",
    ),
    "told to be canceled": (lambda b: b.change(CANCELED, status="CREATED"), "101: CREATED"),
    "canceled without wish": (canceled_without_wish, "100 is canceled and nobody asked for it"),
    "orchestrated, not confirmed": (orchestrated_but_not_confirmed, "102 was told to be confirmed"),
    "a mistake that the doctor finds": (
        lambda b: setattr(b, "stored", replace(b.stored, mistakes=("WRONG",))),
        "in the database: ('WRONG',)",
    ),
    "what a client saw": (lambda b: b.ledger.violations.append("it was gone"), "it was gone"),
    "a list without an order": (lambda b: b.listed.pop(), f"list of customer {CUSTOMER}"),
    "a list with another status": (
        lambda b: b.listed[0].update(status="CREATED"),
        "list shows {'id': 100, 'status': 'CREATED'",
    ),
    "a list with an order that is nowhere": (
        lambda b: b.listed.append({"id": 999, "status": "CREATED", "total_cents": 1}),
        "list shows {'id': 999",
    ),
    "a product with another stock": (
        shows(f"/products/{PRODUCT}", a_product(19)),
        "stored 18",
    ),
    "a product at an earlier price": (
        shows(f"/products/{PRODUCT}", a_product(18, OLD_PRICE)),
        '"price_cents": 4',
    ),
    "a product that is gone": (
        shows(f"/products/{OWN_PRODUCT}", refused(404, "PRODUCT_NOT_FOUND")),
        "product Deed",
    ),
    "a customer that is gone": (
        shows(f"/customers/{GUEST}", answer(404, {"name": "New name"})),
        "customer Deed",
    ),
    "a customer by its old name": (
        shows(f"/customers/{GUEST}", answer(200, {"name": "Old name"})),
        "customer Deed",
    ),
}


def test_sound_books_are_found_to_be_so() -> None:
    assert found(Books()) == []


@pytest.mark.parametrize(("doctor", "named"), DOCTORED.values(), ids=DOCTORED)
def test_what_was_doctored_is_named(doctor: Callable[[Books], object], named: str) -> None:
    books = Books()

    doctor(books)

    assert any(named in violation for violation in found(books)), found(books)


def test_an_unsure_order_may_be_there_or_not() -> None:
    books = Books()
    books.lose(UNSURE)
    books.stock(19)
    books.listed.pop()
    books.shown[f"/products/{PRODUCT}"] = a_product(19)

    assert found(books) == []


def test_a_price_whose_change_was_not_answered_may_be_there_or_not() -> None:
    books = Books()
    books.tell(Kind.PRICE, {"price_cents": 9}, PRODUCT, None, None)

    assert found(books) == []
    books.shown[f"/products/{PRODUCT}"] = a_product(18, 9)
    assert found(books) == []


def test_a_change_that_was_not_told_and_that_its_client_found_counts() -> None:
    books = Books()
    change = books.tell(
        Kind.STOCK, {"stock_delta": 2}, PRODUCT, None, refused(412, "PRECONDITION_FAILED")
    )
    change.is_found = True

    assert any(f"product {PRODUCT}: 18 left" in violation for violation in found(books))
    books.stock(20)
    books.shown[f"/products/{PRODUCT}"] = a_product(20)
    assert found(books) == []
