"""The rules of orders: totals, which status may follow which, the time to cancel.

Pure: no I/O, no clock of its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from orders_api.problems import (
    CancelWindowClosed,
    InsufficientStock,
    OrderNotConfirmable,
    ProductNotFound,
    TotalTooLarge,
)
from service_kit import versions
from service_kit.clock import rfc3339, rfc3339_or_none

LARGEST_TOTAL_CENTS = 2**53 - 1

Quantities = Mapping[int, int]
"""Units by product id, in the order of the ids: all rows are locked in that order."""


class OrderStatus(Enum):
    """CREATED, then CONFIRMED or CANCELED; CONFIRMED, then CANCELED for a while."""

    CREATED = "CREATED"
    CONFIRMED = "CONFIRMED"
    CANCELED = "CANCELED"


@dataclass(frozen=True, slots=True)
class Offer:
    """What an order needs to know of a product, and when the database said so."""

    price_cents: int
    stock: int
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Item:
    """A line of an order, at the price as it was when the order was taken."""

    product_id: int
    qty: int
    unit_price_cents: int

    @property
    def subtotal_cents(self) -> int:
        """Return what the line costs."""
        return self.qty * self.unit_price_cents

    def document(self) -> dict[str, int]:
        """Return the line as clients see it."""
        return {
            "product_id": self.product_id,
            "qty": self.qty,
            "unit_price_cents": self.unit_price_cents,
            "subtotal_cents": self.subtotal_cents,
        }


@dataclass(frozen=True, slots=True)
class Order:
    """An order without its items; moments are UTC without zone."""

    id: int
    customer_id: int
    status: OrderStatus
    total_cents: int
    version: int
    created_at: datetime
    confirmed_at: datetime | None = None
    canceled_at: datetime | None = None

    @property
    def etag(self) -> str:
        """Return the entity tag."""
        return versions.etag(self.version)

    def confirmed(self, moment: datetime) -> "Order":
        """Return the order as it is after its confirmation."""
        return replace(
            self, status=OrderStatus.CONFIRMED, confirmed_at=moment, version=self.version + 1
        )

    def canceled(self, moment: datetime) -> "Order":
        """Return the order as it is after its cancellation."""
        return replace(
            self, status=OrderStatus.CANCELED, canceled_at=moment, version=self.version + 1
        )

    def document(self) -> dict[str, Any]:
        """Return the order as a list shows it."""
        return {
            "id": self.id,
            "customer_id": self.customer_id,
            "status": self.status.value,
            "total_cents": self.total_cents,
            "created_at": rfc3339(self.created_at),
            "confirmed_at": rfc3339_or_none(self.confirmed_at),
            "canceled_at": rfc3339_or_none(self.canceled_at),
        }

    def document_with(self, items: Iterable[Item]) -> dict[str, Any]:
        """Return the order as clients see it."""
        return {**self.document(), "items": [item.document() for item in items]}


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders a list shows; None does not filter. Moments are UTC without zone."""

    customer_id: int | None
    status: str | None
    start: datetime | None
    end: datetime | None


def add_up(lines: Iterable[Mapping[str, int]]) -> Quantities:
    """Add the lines of each product up, and bring the products in the order of their ids."""
    quantities: dict[int, int] = {}
    for line in lines:
        product_id = line["product_id"]
        quantities[product_id] = quantities.get(product_id, 0) + line["qty"]
    return dict(sorted(quantities.items()))


def price(quantities: Quantities, offers: Mapping[int, Offer]) -> list[Item]:
    """Return the items of an order that can be taken.

    Raises:
        ProductNotFound: products are missing; it lists all.
        TotalTooLarge: the sum is past 2^53 - 1.
        InsufficientStock: units are missing; it lists all lines that are short.
    """
    missing = [product_id for product_id in quantities if product_id not in offers]
    if missing:
        raise ProductNotFound(errors=[{"product_id": product_id} for product_id in missing])
    items = [
        Item(product_id, qty, offers[product_id].price_cents)
        for product_id, qty in quantities.items()
    ]
    if total(items) > LARGEST_TOTAL_CENTS:
        raise TotalTooLarge(
            f"The total is {total(items)} cents, the most is {LARGEST_TOTAL_CENTS}."
        )
    short = [
        {"product_id": product_id, "requested": qty, "available": offers[product_id].stock}
        for product_id, qty in quantities.items()
        if qty > offers[product_id].stock
    ]
    if short:
        raise InsufficientStock(errors=short)
    return items


def total(items: Sequence[Item]) -> int:
    """Return what an order costs, in cents."""
    return sum(item.subtotal_cents for item in items)


def check_confirmable(order: Order) -> None:
    """Let a CREATED order pass.

    Raises:
        OrderNotConfirmable: it is confirmed or canceled.
    """
    if order.status is not OrderStatus.CREATED:
        raise OrderNotConfirmable(f"The order is {order.status.value}.")


def check_cancelable(order: Order, now: datetime, window: timedelta) -> None:
    """Let an order pass that is CREATED, or CONFIRMED no longer ago than the window.

    Raises:
        CancelWindowClosed: it was confirmed before that.
    """
    if order.confirmed_at is not None and now - order.confirmed_at > window:
        seconds = window.total_seconds()
        raise CancelWindowClosed(
            f"A confirmed order can be canceled within {seconds:g} s of its confirmation."
        )
