"""Clients that run the whole use case by a random plan, and repeat as good clients do."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.apis import Answer, Api
from tests.faults.ledger import Attempt, Deed, Kind, Ledger
from tests.system.orchestrations import PATH as ORCHESTRATION

Send = Callable[[], Awaitable[Answer]]

HOT = "Hot"
"""What the name of a product begins with that everybody fights for."""

KEEPERS = 60
"""Clients who change stocks, each that of one product; its name has room for the marks of ten."""

PATIENCE_SECONDS = 120.0
"""After so long without a definite answer a client gives up, and the run has failed."""


class NeverDecidedError(Exception):
    """A client has repeated a request for too long."""


@dataclass(slots=True)
class Client:
    """One client with a customer of its own; the products are everybody's."""

    name: str
    number: int
    api: Api
    ledger: Ledger
    chance: random.Random
    products: Sequence[int]
    customer_id: int = 0
    orders: list[int] = field(default_factory=list)
    _count: int = 0

    async def work(self, is_over: Callable[[], bool]) -> None:
        """Do one thing after the other until it is over; what was begun is brought to its end."""
        steps: list[tuple[Callable[[], Awaitable[None]], int]] = [
            (self._order_and_more, 40),
            (self._order_without_key, 8),
            (self._orchestrate, 20),
            (self._cancel_an_old_order, 8),
            (self._change_stock, 10),
            (self._change_price, 4),
            (self._a_product_of_its_own, 3),
            (self._a_customer_for_a_while, 4),
        ]
        weights = [weight for _, weight in steps]
        while not is_over():
            ((step, _),) = self.chance.choices(steps, weights)
            await step()
            await asyncio.sleep(self.chance.uniform(0, 0.02))

    async def become_a_customer(self) -> None:
        """Create the client's own customer."""
        deed = await self._create_customer(f"{self.name}@clients.example")
        self.customer_id = deed.about

    # The use case.

    async def _order_and_more(self) -> None:
        deed = self.ledger.open(Kind.ORDER, self._an_order(), key=self._word("order"))
        send = self._sending("/orders", deed.value, deed.key)
        await self._insist_or_twice_at_once(deed, send)
        if not deed.is_done:
            return
        order_id = self._created(deed)
        await self._look_at(order_id)
        next_steps = self.chance.random()
        if next_steps < 0.1:
            await asyncio.gather(self._confirm(order_id), self._cancel(order_id))
        elif next_steps < 0.75:
            await self._confirm(order_id)
        if self.chance.random() < 0.25:
            await self._cancel(order_id)
        await self._perhaps_again(deed, send)

    async def _order_without_key(self) -> None:
        deed = self.ledger.open(Kind.ORDER_WITHOUT_KEY, self._an_order())
        await self._try(deed, self._sending("/orders", deed.value))
        deed.is_unknowable = not deed.is_decided
        if deed.is_done:
            await self._look_at(self._created(deed))

    async def _orchestrate(self) -> None:
        key = self._word("orchestration")
        value = {**self._an_order(), "idempotency_key": key}
        deed = self.ledger.open(Kind.ORCHESTRATION, value, key=key)
        send = self._sending(ORCHESTRATION, value)
        await self._insist_or_twice_at_once(deed, send)
        if deed.is_done and deed.last is not None:
            deed.about = deed.last.json["data"]["order"]["id"]
            self.orders.append(deed.about)
            await self._perhaps_again(deed, send)

    async def _cancel_an_old_order(self) -> None:
        if self.orders:
            await self._cancel(self.chance.choice(self.orders))

    async def _confirm(self, order_id: int) -> None:
        deed = self.ledger.open(Kind.CONFIRM, {}, key=self._word("confirm"), about=order_id)
        send = self._sending(f"/orders/{order_id}/confirm", None, deed.key)
        await self._insist_or_twice_at_once(deed, send)
        await self._perhaps_again(deed, send)

    async def _cancel(self, order_id: int) -> None:
        key = self._word("cancel") if self.chance.random() < 0.5 else None
        deed = self.ledger.open(Kind.CANCEL, {}, key=key, about=order_id)
        send = self._sending(f"/orders/{order_id}/cancel", None, key)
        await self._insist_or_twice_at_once(deed, send)

    async def _look_at(self, order_id: int) -> None:
        """Find what was told to be there."""
        if self.chance.random() > 0.3:
            return
        deed = self.ledger.open(Kind.READ, {}, about=order_id)
        answer = await self.insist(deed, lambda: self.api.get(f"/orders/{order_id}"))
        if answer.status != 200:
            self.ledger.violations.append(f"order {order_id} was told and is not found")

    # Products and customers.

    async def _change_stock(self) -> None:
        """Add units, or take some, by the version that was read: so a repeat cannot count twice.

        The product's name says which change of each keeper was its last. There a keeper who was not
        answered finds whether the change took place; by a version that is gone none can any more.
        """
        if self.number >= KEEPERS:
            return
        product_id = self.products[self.number % len(self.products)]
        delta = self.chance.choice((1, 2, 3, 5, 20, -1, -2, -7))
        deed = self.ledger.open(Kind.STOCK, {"stock_delta": delta}, about=product_id)
        path, me, mark = f"/products/{product_id}", str(self.number), self._next()
        found = await self._read(path)
        while True:
            name = _name_of({**_last_changes(found.json["name"]), me: str(mark)})
            change, version = {**deed.value, "name": name}, found.headers["ETag"]
            answer = await self.insist(
                deed,
                lambda: self.api.call("PATCH", path, change, data=None, If_Match=version),  # noqa: B023  # done with before the next round
            )
            if answer.status != 412:
                return
            found = await self._read(path)
            if _last_changes(found.json["name"]).get(me) == str(mark):
                deed.is_found = True
                return

    async def _change_price(self) -> None:
        product_id = self.chance.choice(self.products)
        price = self.chance.randrange(1, 100_000)
        self.ledger.prices[product_id].add(price)
        deed = self.ledger.open(Kind.PRICE, {"price_cents": price}, about=product_id)
        await self.insist(
            deed, lambda: self.api.call("PATCH", f"/products/{product_id}", deed.value, data=None)
        )

    async def _a_product_of_its_own(self) -> None:
        sku = self._word("SKU")
        value = {"sku": sku, "name": f"Thing {sku}", "price_cents": 5, "stock": 7}
        deed = self.ledger.open(Kind.PRODUCT, value)
        answer = await self.insist(deed, self._sending("/products", value))
        if answer.status == 201:
            deed.about = answer.json["id"]
        elif answer.status == 409 and deed.was_in_doubt:
            deed.about = await self._found("/products", sku, lambda row: bool(row["sku"] == sku))

    async def _a_customer_for_a_while(self) -> None:
        email = f"{self._word('guest')}@clients.example"
        made = await self._create_customer(email)
        deed = self.ledger.open(
            Kind.CHANGE_OF_CUSTOMER, {"name": "New name", "email": email}, about=made.about
        )
        path = f"/customers/{made.about}"
        while True:
            found = await self._read(path)
            if found.json["name"] == deed.value["name"]:
                break
            version = found.headers["ETag"]
            await self.insist(
                deed,
                lambda: self.api.call("PUT", path, deed.value, data=None, If_Match=version),  # noqa: B023  # done with before the next round
            )
        if self.chance.random() < 0.5:
            end = self.ledger.open(Kind.END_OF_CUSTOMER, {}, about=made.about)
            await self.insist(end, lambda: self.api.call("DELETE", path))

    async def _create_customer(self, email: str) -> Deed:
        value = {"name": f"Client {self.name}", "email": email}
        deed = self.ledger.open(Kind.CUSTOMER, value)
        answer = await self.insist(deed, self._sending("/customers", value))
        if answer.status == 201:
            deed.about = answer.json["id"]
        else:
            deed.about = await self._found(
                "/customers", email, lambda row: bool(row["email"] == email)
            )
        return deed

    # How a good client calls.

    async def insist(self, deed: Deed, send: Send) -> Answer:
        """Send the same again until the answer is definite.

        Raises:
            NeverDecidedError: that did not come about.
        """
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            attempt = await self._try(deed, send)
            if attempt.is_definite and attempt.answer is not None:
                return attempt.answer
            if time.monotonic() > end:
                raise NeverDecidedError(f"{deed.kind} {deed.key or deed.value}: {attempt}")
            await asyncio.sleep(self._pause(attempt))

    async def _try(self, deed: Deed, send: Send) -> Attempt:
        began = time.monotonic()
        answer, error = None, ""
        try:
            answer = await send()
        except (aiohttp.ClientError, TimeoutError) as trouble:
            error = type(trouble).__name__
        attempt = Attempt(answer, began, time.monotonic(), error)
        deed.attempts.append(attempt)
        return attempt

    def _pause(self, attempt: Attempt) -> float:
        wished = float(attempt.answer.headers.get("Retry-After", 0)) if attempt.answer else 0.0
        return wished + self.chance.uniform(0.05, 0.5)

    async def _insist_or_twice_at_once(self, deed: Deed, send: Send) -> None:
        """Send a request, now and then by two hands that do not know of each other."""
        hands = 2 if deed.key and self.chance.random() < 0.1 else 1
        await asyncio.gather(*(self.insist(deed, send) for _ in range(hands)))

    async def _perhaps_again(self, deed: Deed, send: Send) -> None:
        """Repeat what was decided, as a client that has forgotten; the ledger is compared later."""
        if deed.is_done and self.chance.random() < 0.15:
            await self.insist(deed, send)

    async def _read(self, path: str) -> Answer:
        return await self.insist(self.ledger.open(Kind.READ, {}), lambda: self.api.get(path))

    async def _found(self, path: str, word: str, is_it: Callable[[Any], bool]) -> int:
        """Look for what may have been created by a request that was not answered."""
        answer = await self._read(f"{path}?search={word}")
        ids = [int(row["id"]) for row in answer.json["data"] if is_it(row)]
        if len(ids) != 1:
            self.ledger.violations.append(f"{path} {word} is said to be taken; found: {ids}")
        return ids[0] if ids else 0

    def _sending(self, path: str, value: Any, key: str | None = None) -> Send:
        headers = {} if key is None else {"X_Idempotency_Key": key}
        return lambda: self.api.post(path, value, **headers)

    def _created(self, deed: Deed) -> int:
        assert deed.last is not None
        deed.about = int(deed.last.json["id"])
        self.orders.append(deed.about)
        return deed.about

    def _an_order(self) -> dict[str, Any]:
        chosen = self.chance.sample(self.products, self.chance.randrange(1, 4))
        items = [{"product_id": one, "qty": self.chance.randrange(1, 4)} for one in chosen]
        return {"customer_id": self.customer_id, "items": items}

    def _word(self, what: str) -> str:
        return f"{what}{self.name}{self._next():05}"

    def _next(self) -> int:
        self._count += 1
        return self._count


def _last_changes(name: str) -> dict[str, str]:
    """Return by keeper which change of a product was the last one."""
    return dict(word.split(".") for word in name.split()[1:])


def _name_of(last_changes: Mapping[str, str]) -> str:
    return " ".join([HOT, *(f"{keeper}.{mark}" for keeper, mark in last_changes.items())])
