"""The model's customers and products."""

from dataclasses import dataclass, field
from typing import Any

from tests.model.exchanges import UNSEEN, Expected, Request, Resource, Sight, refusal

LARGEST_STOCK = 10**9


@dataclass(slots=True)
class Customers:
    """All customers that there were, and which of them are deleted."""

    rows: dict[int, Resource] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)

    def living(self, number: int) -> Resource | None:
        """Return a customer that is there."""
        return None if number in self.deleted else self.rows.get(number)

    def add(self, request: Request, sight: Sight) -> Expected:
        """POST."""
        if self._is_taken(request.value["email"], but=0):
            return refusal(409, "EMAIL_TAKEN")
        number, moment = sight.new_id(self.rows), sight.moment("created_at")
        moments = {"created_at": moment, "updated_at": moment}
        self.rows[number] = Resource({"id": number, **_details(request.value), **moments})
        return created(self.rows[number], f"/customers/{number}")

    def replace(self, request: Request, sight: Sight, number: int) -> Expected:
        """PUT."""
        customer = self.living(number)
        if customer is None:
            return refusal(404, "CUSTOMER_NOT_FOUND")
        if _is_outdated(request, customer):
            return refusal(412, "PRECONDITION_FAILED")
        if self._is_taken(request.value["email"], but=number):
            return refusal(409, "EMAIL_TAKEN")
        customer.changed(**_details(request.value), updated_at=sight.moment("updated_at"))
        return Expected(200, customer.document, resource=customer)

    def delete(self, request: Request, _sight: Sight, number: int) -> Expected:
        """DELETE."""
        customer = self.living(number)
        if customer is None:
            return refusal(404, "CUSTOMER_NOT_FOUND")
        if _is_outdated(request, customer):
            return refusal(412, "PRECONDITION_FAILED")
        self.deleted.add(number)
        return Expected(204)

    def _is_taken(self, email: str, but: int) -> bool:
        others = self.rows.keys() - self.deleted - {but}
        return email.lower() in {self.rows[number].document["email"] for number in others}


@dataclass(slots=True)
class Products:
    """All products."""

    rows: dict[int, Resource] = field(default_factory=dict)

    def add(self, request: Request, sight: Sight) -> Expected:
        """POST."""
        skus = {product.document["sku"].lower() for product in self.rows.values()}
        if request.value["sku"].lower() in skus:
            return refusal(409, "SKU_TAKEN")
        number, moment = sight.new_id(self.rows), sight.moment("created_at")
        moments = {"created_at": moment, "updated_at": moment}
        self.rows[number] = Resource({"id": number, **request.value, **moments})
        return created(self.rows[number], f"/products/{number}")

    def change(self, request: Request, sight: Sight, number: int) -> Expected:
        """PATCH."""
        product = self.rows.get(number)
        if product is None:
            return refusal(404, "PRODUCT_NOT_FOUND")
        if _is_outdated(request, product):
            return refusal(412, "PRECONDITION_FAILED")
        change = dict(request.value)
        delta = change.pop("stock_delta", 0)
        stock = change.pop("stock", product.document["stock"]) + delta
        if stock < 0:
            return refusal(409, "INSUFFICIENT_STOCK", [self.short(number, -delta)])
        if delta > 0 and stock > LARGEST_STOCK:
            return refusal(422, "VALIDATION_FAILED")
        product.changed(**change, stock=stock, updated_at=sight.moment("updated_at"))
        return Expected(200, product.document, resource=product)

    def move(self, number: int, units: int) -> None:
        """Add units to the stock, or take them, by an order."""
        product = self.rows[number]
        product.changed(stock=product.document["stock"] + units, updated_at=UNSEEN)

    def short(self, number: int, requested: int) -> dict[str, int]:
        """Return what is told of a product of which there is too little."""
        available = self.rows[number].document["stock"]
        return {"product_id": number, "requested": requested, "available": available}


def created(resource: Resource, location: str) -> Expected:
    """Return the answer to what is new."""
    headers = {"Location": location, "Idempotent-Replayed": None}
    return Expected(201, resource.document, resource=resource, headers=headers)


def _is_outdated(request: Request, resource: Resource) -> bool:
    if request.if_match is None:
        return False
    return resource.is_changed or request.if_match != resource.etags[-1]


def _details(value: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": value["name"],
        "email": value["email"].lower(),
        "phone": value.get("phone"),
    }
