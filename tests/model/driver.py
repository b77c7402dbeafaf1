"""How chance's requests are put together, made at both, and compared."""

import secrets
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode

from hypothesis.stateful import RuleBasedStateMachine

from tests.model.chances import LARGEST_PRICE, PLAINLY, Manner
from tests.model.doors import Doors
from tests.model.exchanges import UNSEEN, Request, Resource, Sight
from tests.model.reference import Model
from tests.system.orchestrations import PATH as ORCHESTRATION

NOT_THERE = 2**40
"""An id that no row has."""


class Driver(RuleBasedStateMachine):
    """One run: customers, products and orders of its own, told from others by a mark."""

    doors: ClassVar[Doors]

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.mark = f"m{secrets.token_hex(4)}"
        self.latest = ""
        self.used_keys: list[str] = []
        self.moved: list[int] = []
        self.agrees = True

    def ask(self, request: Request, manner: Manner) -> None:
        """Let the system answer, and then the model; both must say the same."""
        self.agrees = False
        is_twice = manner.is_twice and (request.key is not None or request.path == ORCHESTRATION)
        if is_twice:
            answers = self.doors.call_twice(request, at_gateway=manner.at_gateway)
        else:
            answers = [self.doors.call(request, at_gateway=manner.at_gateway)]
        for answer in answers:
            sight = Sight(answer, self.latest)
            self.model.answer(request, sight).check(answer)
            self.latest = sight.latest
        self.agrees = True

    def teardown(self) -> None:
        """Look at everything once more, if all was well; set the clocks of the orders right."""
        if self.agrees:
            for kind in ("customers", "products", "orders"):
                for number in getattr(self.model, kind).rows:
                    self.ask(Request("GET", f"/{kind}/{number}"), PLAINLY)
        for number in self.moved:
            self.move_back(number, hours=-1)

    def details(self, name: str, email: str, phone: str | None) -> dict[str, Any]:
        """Return a customer's details, with the mark in its address."""
        return {"name": name, "email": f"{email}@{self.mark}.example.com", "phone": phone}

    def order(self, customer: int, lines: list[tuple[int, int]]) -> dict[str, Any]:
        """Return the value of an order."""
        return {
            "customer_id": picked(customer, self.model.customers.rows),
            "items": [
                {"product_id": picked(pick, self.model.products.rows), "qty": qty}
                for pick, qty in lines
            ],
        }

    def key(self, kind: str) -> str | None:
        """Return a key: none, a new one, or one that was used, in whatever way."""
        if kind == "none" or (kind == "used" and not self.used_keys):
            return None
        if kind == "new":
            self.used_keys.append(f"{self.mark} {len(self.used_keys)}")
        return self.used_keys[-1]

    def living_customers(self) -> list[int]:
        """Return the customers that are not deleted."""
        return [one for one in self.model.customers.rows if self.model.customers.living(one)]

    def products_in_stock(self) -> list[int]:
        """Return the products of which an order can be sure."""
        return [
            number
            for number, product in self.model.products.rows.items()
            if product.document["stock"] and product.document["price_cents"] < LARGEST_PRICE
        ]

    def confirmed_orders(self) -> list[int]:
        """Return the orders whose time to cancel is running."""
        return [
            number
            for number, order in self.model.orders.rows.items()
            if order.document["status"] == "CONFIRMED" and not order.is_too_old
        ]

    def look_at_new_orders(self) -> None:
        """Learn the moments that an orchestration does not tell."""
        for number, order in self.model.orders.rows.items():
            if UNSEEN in order.document.values():
                self.ask(Request("GET", f"/orders/{number}"), PLAINLY)

    def move_back(self, number: int, hours: int) -> None:
        """Let an order have been taken and confirmed earlier."""
        self.doors.query(
            "UPDATE orders SET created_at = created_at - INTERVAL %s HOUR,"
            " confirmed_at = confirmed_at - INTERVAL %s HOUR WHERE id = %s",
            hours,
            hours,
            number,
        )

    def follow(self, path: str, query: Mapping[str, Any], limit: int) -> list[dict[str, Any]]:
        """Return the rows of all pages; each page but the last one is full."""
        rows: list[dict[str, Any]] = []
        cursor: dict[str, Any] = {}
        while True:
            text = urlencode({**query, "limit": limit, **cursor})
            page = self.doors.call(Request("GET", f"{path}?{text}")).json
            rows += page["data"]
            if page["next_cursor"] is None:
                assert len(page["data"]) <= limit
                return rows
            assert len(page["data"]) == limit, page
            cursor = {"cursor": page["next_cursor"]}


def picked(pick: int, rows: Mapping[int, object]) -> int:
    """Return one of the ids, now and then one that is not there."""
    return NOT_THERE if not rows or pick > 970 else list(rows)[pick % len(rows)]


def tag_of(resource: Resource | None, kind: str) -> str | None:
    """Return the tag last seen, an older one, or none."""
    if kind == "any":
        return None
    tags = ['"none"', *(resource.etags if resource else [])]
    return tags[-1] if kind == "current" else tags[max(0, len(tags) - 2)]
