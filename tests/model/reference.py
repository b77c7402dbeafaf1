"""A small model of the whole system: what it answers, by the contract, without a database.

It keeps what there is in dictionaries and takes one request at a time. What only the system can
decide (ids, moments) it takes from the answer that it is to judge, and checks that too.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.model.catalogue import Customers, Products
from tests.model.exchanges import (
    NOBODY,
    SERVICE,
    UNSEEN,
    VIEWER,
    Expected,
    Request,
    Resource,
    Sight,
    refusal,
)
from tests.model.orders import Orders
from tests.system.orchestrations import PATH as ORCHESTRATION

_Act = Callable[[Request, Sight, int], Expected]

_RESOURCE = re.compile(r"/(customers|products|orders)/(\d+)(?:/(confirm|cancel))?")
_TOLD_OF_CUSTOMER = ("id", "name", "email", "phone")
_TOLD_OF_ORDER = ("id", "status", "total_cents", "items")


@dataclass(frozen=True, slots=True)
class Kept:
    """What stands under a key: the request, the order that it acted on, the answer that it had."""

    path: str
    value: Any
    order_id: int
    answer: Expected


@dataclass(slots=True)
class Model:
    """All that there is, as far as one run has made it."""

    customers: Customers = field(default_factory=Customers)
    products: Products = field(default_factory=Products)
    orders: Orders = field(init=False)
    keys: dict[str, Kept] = field(default_factory=dict)
    orchestrations: dict[str, Kept] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.orders = Orders(self.customers, self.products)

    def answer(self, request: Request, sight: Sight) -> Expected:
        """Take a request; return what has to be answered."""
        refused = _at_the_door(request)
        if refused is not None:
            return refused
        if request.path == ORCHESTRATION:
            return self._orchestrate(request, sight)
        if request.path == "/customers":
            return self.customers.add(request, sight)
        if request.path == "/products":
            return self.products.add(request, sight)
        if request.path == "/orders":
            return self._once(request, sight, 0, self.orders.take)
        return self._at_resource(request, sight)

    def forget_keys_of(self, order_id: int) -> None:
        """Let the time of an order's keys be over."""
        for kept_ones in (self.keys, self.orchestrations):
            for key in [key for key, kept in kept_ones.items() if kept.order_id == order_id]:
                del kept_ones[key]

    def _at_resource(self, request: Request, sight: Sight) -> Expected:
        found = _RESOURCE.fullmatch(request.path)
        assert found is not None, request
        kind, number, step = found[1], int(found[2]), found[3]
        if step == "confirm" and request.key is None:
            return refusal(400, "IDEMPOTENCY_KEY_REQUIRED")
        if step is not None:
            act = self.orders.confirm if step == "confirm" else self.orders.cancel
            return self._once(request, sight, number, act)
        if request.method == "GET":
            return self._read(request, sight, kind, number)
        changes: dict[str, _Act] = {
            "PUT": self.customers.replace,
            "DELETE": self.customers.delete,
            "PATCH": self.products.change,
        }
        return changes[request.method](request, sight, number)

    def _read(self, request: Request, sight: Sight, kind: str, number: int) -> Expected:
        lookups: dict[str, Callable[[int], Resource | None]] = {
            "customers": self.customers.living,
            "products": self.products.rows.get,
            "orders": self.orders.rows.get,
        }
        found = lookups[kind](number)
        if found is None:
            return refusal(404, f"{kind[:-1].upper()}_NOT_FOUND")
        if not found.is_changed and request.if_none_match == found.etags[-1]:
            return Expected(304, resource=found)
        return Expected(200, found.shown(sight.document), resource=found)

    def _once(
        self,
        request: Request,
        sight: Sight,
        number: int,
        act: _Act,
    ) -> Expected:
        """Let a request act, unless its key tells that it did before."""
        if request.key is None:
            return act(request, sight, number)
        kept = self.keys.get(request.key)
        if kept is not None:
            is_same = (kept.path, kept.value) == (request.path, request.value)
            return kept.answer if is_same else refusal(422, "IDEMPOTENCY_KEY_REUSED")
        first = act(request, sight, number)
        if first.code is None:
            told = sight.answer
            again = Expected(
                first.status,
                body=told.body,
                headers={
                    "Idempotent-Replayed": "true",
                    "Location": first.headers.get("Location"),
                    "ETag": told.headers.get("ETag"),
                },
            )
            order_id = number or sight.document["id"]
            self.keys[request.key] = Kept(request.path, request.value, order_id, again)
        return replace(first, headers={**first.headers, "Idempotent-Replayed": None})

    def _orchestrate(self, request: Request, sight: Sight) -> Expected:
        value = dict(request.value)
        key = value.pop("idempotency_key")
        customer = self.customers.living(value["customer_id"])
        if customer is None:
            return refusal(404, "CUSTOMER_NOT_FOUND")
        kept = self.orchestrations.get(key)
        if kept is not None and kept.value != value:
            return refusal(422, "IDEMPOTENCY_KEY_REUSED")
        if kept is None:
            refused = self.orders.why_not(value)
            if refused is not None:
                return refused
            order = self.orders.add(value, sight.new_id(self.orders.rows))
            order.changed(status="CONFIRMED", confirmed_at=UNSEEN)
            told = {name: order.document[name] for name in _TOLD_OF_ORDER}
            kept = Kept(ORCHESTRATION, value, told["id"], Expected(201, told))
            self.orchestrations[key] = kept
        known = {name: customer.document[name] for name in _TOLD_OF_CUSTOMER}
        correlation_id = sight.answer.headers.get("X-Correlation-Id")
        data = {"customer": known, "order": kept.answer.document}
        return Expected(201, {"success": True, "correlationId": correlation_id, "data": data})


def _at_the_door(request: Request) -> Expected | None:
    if request.caller == NOBODY:
        return refusal(401, "UNAUTHORIZED")
    is_forbidden = (request.caller == VIEWER and request.method != "GET") or (
        request.caller == SERVICE and not request.path.startswith(("/products", "/orders"))
    )
    return refusal(403, "FORBIDDEN") if is_forbidden else None
