"""Made-up rows: customers, products and orders by their ids, the same ones every time.

Every value is of our own words and digits: nothing in it needs escaping in SQL.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from customers_api.rules import CustomerDetails
from orders_api.products.rules import terms as product_terms
from service_kit.search import search_text, stored_terms

ITEMS = 3
"""Items of each order."""

COMMON_WORD = "trading"
"""Begins a word of each fourth customer."""

_FIRST = ("Blue", "North", "Alba", "Delta", "Prime", "Silver", "Atlas", "Costa", "Green", "Nova")
_SECOND = ("Bolt", "Cable", "Harbor", "Paper", "Steel", "Timber", "Glass", "Cotton", "Copper")
KINDS = ("Trading", "Supplies", "Wholesale", "Partners")
_THINGS = ("Bolt", "Cable", "Lamp", "Hinge", "Filter", "Valve", "Switch", "Bracket", "Pump")
_STOCK = 1_000_000_000
_YEARS = timedelta(days=730)
_STATUSES = ("CONFIRMED",) * 7 + ("CREATED",) * 2 + ("CANCELED",)

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A row of a table that can be searched, and the words that find it."""

    row: Row
    terms: list[str]


def customer(number: int) -> Found:
    """Return a customer: id, name, email, phone, search_text."""
    chance = Random(number)  # made-up names, not secrets
    name = f"{chance.choice(_FIRST)} {chance.choice(_SECOND)} {KINDS[number % len(KINDS)]}"
    email = f"buying{number}@{chance.choice(_SECOND).lower()}{number % 9973}.example"
    phone = f"+34 6{chance.randrange(100):02} {number // 1000 % 1000:03} {number % 1000:03}"
    words = CustomerDetails(name, email, phone).terms()
    return Found((number, name, email, phone, search_text(words)), stored_terms(words))


def rare_word(number: int) -> str:
    """Return a word that finds this customer alone."""
    return f"buying{number}"


def product(number: int) -> Found:
    """Return a product: id, sku, name, price_cents, stock, search_text."""
    chance = Random(number)
    sku = f"SKU-{number:07}"
    name = f"{chance.choice(_THINGS)} {chance.choice(_FIRST)} M{chance.randrange(3, 60)}"
    words = product_terms(sku, name)
    return Found(
        (number, sku, name, _price(number), _STOCK, search_text(words)), stored_terms(words)
    )


@dataclass(frozen=True, slots=True)
class OrderMaker:
    """Makes orders of some customers and products, spread evenly over the two years before now.

    ``status`` gives all of them one status; None mixes them.
    """

    customers: range
    products: range
    orders: range
    now: datetime
    status: str | None = None

    def order(self, number: int) -> tuple[Row, list[Row]]:
        """Return an order and its items.

        The order: id, customer_id, status, total_cents, version, created_at, confirmed_at,
        canceled_at. An item: order_id, product_id, qty, unit_price_cents, subtotal_cents.
        """
        chance = Random(number)
        items = [self._item(number, product_id, chance) for product_id in self._products(chance)]
        moment = self.now - _YEARS * ((self.orders.stop - number) / len(self.orders))
        text = moment.isoformat(sep=" ", timespec="milliseconds")
        status = self.status or chance.choice(_STATUSES)
        total = sum(subtotal for *_, subtotal in items)
        order = (
            number,
            chance.choice(self.customers),
            status,
            total,
            1 if status == "CREATED" else 2,
            text,
            text if status == "CONFIRMED" else None,
            text if status == "CANCELED" else None,
        )
        return order, list(items)

    def _products(self, chance: Random) -> Sequence[int]:
        return sorted(chance.sample(self.products, ITEMS))

    @staticmethod
    def _item(number: int, product_id: int, chance: Random) -> tuple[int, int, int, int, int]:
        qty = chance.randrange(1, 10)
        price = _price(product_id)
        return number, product_id, qty, price, qty * price


def _price(number: int) -> int:
    return 100 + number * 7919 % 100_000
