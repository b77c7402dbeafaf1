"""Small builders: a customer, a product, an order; what a test does not care about is filled in."""

import itertools
import secrets
from typing import Any

from tests.apis import Api

_numbers = itertools.count(1)
_run = secrets.token_hex(3)


def unique(word: str) -> str:
    """Return a word that no other test uses, of letters and digits alone."""
    return f"{word}{_run}n{next(_numbers)}"


async def a_customer(customers: Api, **details: Any) -> dict[str, Any]:
    """Create a customer."""
    value = {"name": "ACME", "email": f"{unique('ops')}@acme.com", **details}
    answer = await customers.post("/customers", value)
    assert answer.status == 201, answer.body
    created: dict[str, Any] = answer.json
    return created


async def a_product(orders: Api, **details: Any) -> dict[str, Any]:
    """Create a product."""
    value = {
        "sku": unique("SKU-"),
        "name": "Laptop",
        "price_cents": 129900,
        "stock": 100,
        **details,
    }
    answer = await orders.post("/products", value)
    assert answer.status == 201, answer.body
    created: dict[str, Any] = answer.json
    return created


def lines(*pairs: tuple[dict[str, Any], int]) -> list[dict[str, int]]:
    """Return an order's lines from products and quantities."""
    return [{"product_id": product["id"], "qty": qty} for product, qty in pairs]


async def an_order(
    orders: Api, customer: dict[str, Any], *pairs: tuple[dict[str, Any], int], **headers: str
) -> dict[str, Any]:
    """Take an order."""
    value = {"customer_id": customer["id"], "items": lines(*pairs)}
    answer = await orders.post("/orders", value, **headers)
    assert answer.status == 201, answer.body
    created: dict[str, Any] = answer.json
    return created


async def stock_of(orders: Api, product: dict[str, Any]) -> int:
    """Return a product's stock now."""
    stock: int = (await orders.get(f"/products/{product['id']}")).json["stock"]
    return stock
