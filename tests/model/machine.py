"""Chance drives the live system and the model side by side; every answer is compared."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.model import lists
from tests.model.chances import (
    CHANGES,
    EMAILS,
    KEYS,
    LIMITS,
    LINES,
    MANNERS,
    NAMES,
    PHONES,
    PICKS,
    PLAINLY,
    PRICES,
    STEP_KEYS,
    STEPS,
    STOCKS,
    TAGS,
    WORDS,
    Manner,
)
from tests.model.driver import Driver, picked, tag_of
from tests.model.exchanges import UNSEEN, Request, Resource
from tests.system.orchestrations import PATH as ORCHESTRATION


class Machine(Driver):
    """What may happen."""

    @initialize()
    def begin(self) -> None:
        """Have somebody who can order something."""
        for email in ("one", "other"):
            self.ask(Request("POST", "/customers", self.details("Acme", email, None)), PLAINLY)
        for number in range(3):
            sku = f"{self.mark}-begin-{number}"
            value = {"sku": sku, "name": "Globex 99", "price_cents": 7, "stock": 10 + number}
            self.ask(Request("POST", "/products", value), PLAINLY)

    # Customers and products.

    @rule(name=NAMES, email=EMAILS, phone=PHONES, manner=MANNERS)
    def add_customer(self, name: str, email: str, phone: str | None, manner: Manner) -> None:
        value = self.details(name, email, phone)
        self.ask(Request("POST", "/customers", value, caller=manner.caller), manner)

    @precondition(lambda self: self.model.customers.rows)
    @rule(pick=PICKS, name=NAMES, email=EMAILS, phone=PHONES, tag=TAGS, manner=MANNERS)
    def replace_customer(
        self, pick: int, name: str, email: str, phone: str | None, tag: str, manner: Manner
    ) -> None:
        number = picked(pick, self.model.customers.rows)
        if_match = tag_of(self.model.customers.rows.get(number), tag)
        value = self.details(name, email, phone)
        path = f"/customers/{number}"
        request = Request("PUT", path, value, if_match=if_match, caller=manner.caller)
        self.ask(request, manner)

    @precondition(lambda self: len(self.living_customers()) > 1)
    @rule(pick=PICKS, tag=TAGS, manner=MANNERS)
    def delete_customer(self, pick: int, tag: str, manner: Manner) -> None:
        number = picked(pick, self.model.customers.rows)
        if_match = tag_of(self.model.customers.rows.get(number), tag)
        path = f"/customers/{number}"
        self.ask(Request("DELETE", path, if_match=if_match, caller=manner.caller), manner)

    @rule(sku=st.integers(0, 20), name=NAMES, price=PRICES, stock=STOCKS, manner=MANNERS)
    def add_product(self, sku: int, name: str, price: int, stock: int, manner: Manner) -> None:
        spelled = f"{self.mark}-{sku}" if sku % 2 else f"{self.mark.upper()}-{sku // 2}"
        value = {"sku": spelled, "name": name, "price_cents": price, "stock": stock}
        self.ask(Request("POST", "/products", value, caller=manner.caller), manner)

    @precondition(lambda self: self.model.products.rows)
    @rule(pick=PICKS, change=CHANGES, tag=TAGS, manner=MANNERS)
    def change_product(self, pick: int, change: dict[str, Any], tag: str, manner: Manner) -> None:
        number = picked(pick, self.model.products.rows)
        if_match = tag_of(self.model.products.rows.get(number), tag)
        path = f"/products/{number}"
        request = Request("PATCH", path, change, if_match=if_match, caller=manner.caller)
        self.ask(request, manner)

    # Orders.

    @precondition(lambda self: self.model.products.rows)
    @rule(customer=PICKS, lines=LINES, key=KEYS, manner=MANNERS)
    def take_order(
        self, customer: int, lines: list[tuple[int, int]], key: str, manner: Manner
    ) -> None:
        value = self.order(customer, lines)
        request = Request("POST", "/orders", value, key=self.key(key), caller=manner.caller)
        self.ask(request, manner)

    @precondition(lambda self: self.model.keys)
    @rule(pick=PICKS, manner=MANNERS)
    def repeat_under_its_key(self, pick: int, manner: Manner) -> None:
        key = list(self.model.keys)[pick % len(self.model.keys)]
        kept = self.model.keys[key]
        self.ask(Request("POST", kept.path, kept.value, key=key, caller=manner.caller), manner)

    @precondition(lambda self: self.model.orders.rows)
    @rule(pick=PICKS, key=STEP_KEYS, manner=MANNERS)
    def confirm(self, pick: int, key: str, manner: Manner) -> None:
        self.take_step(picked(pick, self.model.orders.rows), "confirm", key, manner)

    @precondition(lambda self: self.model.orders.rows)
    @rule(pick=PICKS, key=KEYS, manner=MANNERS)
    def cancel(self, pick: int, key: str, manner: Manner) -> None:
        self.take_step(picked(pick, self.model.orders.rows), "cancel", key, manner)

    @precondition(lambda self: self.living_customers() and self.products_in_stock())
    @rule(pick=PICKS, steps=STEPS, manner=MANNERS)
    def take_a_small_order_and_go_on(self, pick: int, steps: list[str], manner: Manner) -> None:
        customers, products = self.living_customers(), self.products_in_stock()
        value = {
            "customer_id": customers[pick % len(customers)],
            "items": [{"product_id": products[pick % len(products)], "qty": 1}],
        }
        self.ask(Request("POST", "/orders", value, key=self.key("new")), manner)
        for step in steps:
            self.take_step(max(self.model.orders.rows), step, "new", manner)

    def take_step(self, number: int, step: str, key: str, manner: Manner) -> None:
        """Confirm or cancel an order."""
        path = f"/orders/{number}/{step}"
        self.ask(Request("POST", path, key=self.key(key), caller=manner.caller), manner)

    @precondition(lambda self: self.model.products.rows)
    @rule(customer=PICKS, lines=LINES, key=st.integers(0, 3), manner=MANNERS)
    def orchestrate(
        self, customer: int, lines: list[tuple[int, int]], key: int, manner: Manner
    ) -> None:
        name = f"{self.mark}-{key}"
        value = {**self.order(customer, lines), "idempotency_key": name}
        self.ask(Request("POST", ORCHESTRATION, value, caller=manner.caller), manner)
        self.look_at_new_orders()

    @precondition(lambda self: self.model.orchestrations)
    @rule(pick=PICKS, manner=MANNERS)
    def repeat_an_orchestration(self, pick: int, manner: Manner) -> None:
        key = list(self.model.orchestrations)[pick % len(self.model.orchestrations)]
        value = {**self.model.orchestrations[key].value, "idempotency_key": key}
        self.ask(Request("POST", ORCHESTRATION, value, caller=manner.caller), manner)

    # Time.

    @precondition(lambda self: self.model.orders.rows)
    @rule(pick=PICKS)
    def let_the_time_of_its_keys_be_over(self, pick: int) -> None:
        number = list(self.model.orders.rows)[pick % len(self.model.orders.rows)]
        self.doors.query(
            "UPDATE idempotency_keys SET created_at = created_at - INTERVAL 2 DAY,"
            " expires_at = expires_at - INTERVAL 2 DAY WHERE target_id = %s",
            number,
        )
        self.model.forget_keys_of(number)

    @precondition(lambda self: self.confirmed_orders())
    @rule(pick=PICKS)
    def let_the_time_to_cancel_be_over(self, pick: int) -> None:
        orders = self.confirmed_orders()
        number = orders[pick % len(orders)]
        self.move_back(number, hours=1)
        self.moved.append(number)
        order = self.model.orders.rows[number]
        order.is_too_old = True
        order.document = {**order.document, "created_at": UNSEEN, "confirmed_at": UNSEEN}
        self.ask(Request("GET", f"/orders/{number}"), PLAINLY)

    # Reading.

    @rule(
        kind=st.sampled_from(["customers", "products", "orders"]),
        pick=PICKS,
        tag=TAGS,
        manner=MANNERS,
    )
    def read_one(self, kind: str, pick: int, tag: str, manner: Manner) -> None:
        rows: dict[int, Resource] = getattr(self.model, kind).rows
        number = picked(pick, rows)
        none_match = tag_of(rows.get(number), tag)
        path = f"/{kind}/{number}"
        self.ask(Request("GET", path, if_none_match=none_match, caller=manner.caller), manner)

    @rule(words=WORDS, limit=LIMITS, kind=st.sampled_from(["customers", "products"]))
    def search(self, words: str, limit: int, kind: str) -> None:
        wanted = f"{self.mark} {words}"
        found = getattr(lists, kind)(self.model, wanted)
        rows = self.follow(f"/{kind}", {"search": wanted}, limit)
        assert len(rows) == len(found), f"{wanted!r} found {rows}, expected {found}"
        expected = [one.shown(row) for one, row in zip(found, rows, strict=True)]
        assert rows == expected, f"{wanted!r} found {rows}, expected {expected}"

    @precondition(lambda self: self.model.customers.rows)
    @rule(
        pick=PICKS,
        limit=LIMITS,
        status=st.sampled_from([None, "CREATED", "CONFIRMED", "CANCELED"]),
        bounds=st.tuples(st.none() | PICKS, st.none() | PICKS),
    )
    def list_orders(
        self, pick: int, limit: int, status: str | None, bounds: tuple[int | None, int | None]
    ) -> None:
        customers = list(self.model.customers.rows)
        chosen: dict[str, Any] = {"customer_id": customers[pick % len(customers)]}
        if status is not None:
            chosen["status"] = status
        moments = sorted(one.document["created_at"] for one in self.model.orders.rows.values())
        if moments:
            picked_ones = sorted(one % len(moments) for one in bounds if one is not None)
            names = ("from", "to") if len(picked_ones) == 2 else ("from",)
            chosen |= {n: moments[i] for n, i in zip(names, picked_ones, strict=False)}
        rows = self.follow("/orders", chosen, limit)
        expected = lists.orders(self.model, chosen)
        assert rows == expected, f"{chosen} found {rows}, expected {expected}"
