"""The model's orders: priced, taken, confirmed, canceled."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.model.catalogue import Customers, Products, created
from tests.model.exchanges import UNSEEN, Expected, Request, Resource, Sight, refusal

LARGEST_TOTAL = 2**53 - 1


@dataclass(slots=True)
class Order(Resource):
    """An order; ``is_too_old`` says that its time to be canceled is over."""

    is_too_old: bool = False


@dataclass(slots=True)
class Orders:
    """All orders, beside whose customers and products they are."""

    customers: Customers
    products: Products
    rows: dict[int, Order] = field(default_factory=dict)

    def take(self, request: Request, sight: Sight, _number: int) -> Expected:
        """POST."""
        refused = self.why_not(request.value)
        if refused is not None:
            return refused
        number = sight.new_id(self.rows)
        order = self.add(request.value, number, sight.moment("created_at"))
        return created(order, f"/orders/{number}")

    def confirm(self, _request: Request, sight: Sight, number: int) -> Expected:
        """POST to /confirm."""
        order = self.rows.get(number)
        if order is None:
            return refusal(404, "ORDER_NOT_FOUND")
        if order.document["status"] != "CREATED":
            return refusal(409, "ORDER_NOT_CONFIRMABLE")
        order.changed(status="CONFIRMED", confirmed_at=sight.moment("confirmed_at"))
        return Expected(200, order.document, resource=order)

    def cancel(self, _request: Request, sight: Sight, number: int) -> Expected:
        """POST to /cancel."""
        order = self.rows.get(number)
        if order is None:
            return refusal(404, "ORDER_NOT_FOUND")
        if order.document["status"] != "CANCELED":
            if order.is_too_old:
                return refusal(409, "CANCEL_WINDOW_CLOSED")
            for item in order.document["items"]:
                self.products.move(item["product_id"], item["qty"])
            order.changed(status="CANCELED", canceled_at=sight.moment("canceled_at"))
        return Expected(200, order.document, resource=order)

    def why_not(self, value: dict[str, Any]) -> Expected | None:
        """Return why an order cannot be taken; None if it can."""
        if self.customers.living(value["customer_id"]) is None:
            return refusal(404, "CUSTOMER_NOT_FOUND")
        units = _units(value)
        missing = [{"product_id": one} for one in units if one not in self.products.rows]
        if missing:
            return refusal(404, "PRODUCT_NOT_FOUND", missing)
        if _total(self._items(value)) > LARGEST_TOTAL:
            return refusal(422, "TOTAL_TOO_LARGE")
        short = [
            self.products.short(one, qty)
            for one, qty in units.items()
            if qty > self.products.rows[one].document["stock"]
        ]
        return refusal(409, "INSUFFICIENT_STOCK", short) if short else None

    def add(self, value: dict[str, Any], number: int, moment: str = UNSEEN) -> Order:
        """Add an order that can be taken."""
        items = self._items(value)
        for item in items:
            self.products.move(item["product_id"], -item["qty"])
        document = {
            "id": number,
            "customer_id": value["customer_id"],
            "status": "CREATED",
            "total_cents": _total(items),
            "created_at": moment,
            "confirmed_at": None,
            "canceled_at": None,
            "items": items,
        }
        self.rows[number] = Order(document)
        return self.rows[number]

    def _items(self, value: dict[str, Any]) -> list[dict[str, int]]:
        prices = {one: row.document["price_cents"] for one, row in self.products.rows.items()}
        return [
            {
                "product_id": one,
                "qty": qty,
                "unit_price_cents": prices[one],
                "subtotal_cents": qty * prices[one],
            }
            for one, qty in _units(value).items()
        ]


def _total(items: list[dict[str, int]]) -> int:
    return sum(item["subtotal_cents"] for item in items)


def _units(value: dict[str, Any]) -> dict[int, int]:
    units: Counter[int] = Counter()
    for line in value["items"]:
        units[line["product_id"]] += line["qty"]
    return dict(sorted(units.items()))
