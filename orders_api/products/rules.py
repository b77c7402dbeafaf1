"""What a product is, how its stock changes, and by which words it is found. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orders_api.problems import InsufficientStock
from service_kit import versions
from service_kit.clock import rfc3339
from service_kit.problems import ValidationFailed
from service_kit.search import words

LARGEST_STOCK = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Product:
    """A product; moments are UTC without zone."""

    id: int
    sku: str
    name: str
    price_cents: int
    stock: int
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def etag(self) -> str:
        """Return the entity tag; the stock counts as part of the product."""
        return versions.etag(self.version)

    def document(self) -> dict[str, Any]:
        """Return the product as clients see it."""
        return {
            "id": self.id,
            "sku": self.sku,
            "name": self.name,
            "price_cents": self.price_cents,
            "stock": self.stock,
            "created_at": rfc3339(self.created_at),
            "updated_at": rfc3339(self.updated_at),
        }


def terms(sku: str, name: str) -> list[str]:
    """Return the words that find a product."""
    return [*words(sku), *words(name)]


def changed_stock(product: Product, change: Mapping[str, Any]) -> int:
    """Return a product's stock after a change by ``stock`` or ``stock_delta``.

    Raises:
        InsufficientStock: more would be taken than there is.
        ValidationFailed: more would be added than a product may have.
    """
    delta: int = change.get("stock_delta", 0)
    stock: int = change.get("stock", product.stock) + delta
    if stock < 0:
        short = {"product_id": product.id, "requested": -delta, "available": product.stock}
        raise InsufficientStock(errors=[short])
    if delta > 0 and stock > LARGEST_STOCK:
        detail = f"would make the stock {stock}; the most is {LARGEST_STOCK}"
        raise ValidationFailed(errors=[{"pointer": "/stock_delta", "detail": detail}])
    return stock
