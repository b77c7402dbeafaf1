"""The calls that the tests of products and orders make, and how they read a refusal."""

import re
from collections.abc import Mapping
from typing import Any

from tests.apis import Answer, Api
from tests.builders import an_order, unique

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

Product = dict[str, Any]
Customer = dict[str, Any]


def refusal(answer: Answer) -> tuple[int, str]:
    """Return status and code of a problem."""
    return answer.status, answer.code


def pointers(answer: Answer) -> list[str]:
    """Return which parts of a request did not fit its schema."""
    assert refusal(answer) == (422, "VALIDATION_FAILED")
    return sorted({error["pointer"] for error in answer.json["errors"]})


async def patch(orders: Api, product: Product, change: Any, **headers: str) -> Answer:
    """Change a product."""
    return await orders.call("PATCH", f"/products/{product['id']}", change, data=None, **headers)


async def create(orders: Api, customer_id: Any, items: Any, **headers: str) -> Answer:
    """Ask for an order, which may be refused."""
    return await orders.post("/orders", {"customer_id": customer_id, "items": items}, **headers)


async def confirm(orders: Api, order: Mapping[str, Any], key: str | None = None) -> Answer:
    """Confirm an order, under a key of its own unless one is given."""
    return await orders.post(
        f"/orders/{order['id']}/confirm", X_Idempotency_Key=key or unique("confirm")
    )


async def cancel(orders: Api, order: Mapping[str, Any], **headers: str) -> Answer:
    """Cancel an order."""
    return await orders.post(f"/orders/{order['id']}/cancel", **headers)


async def a_confirmed_order(
    orders: Api, customer: Customer, *pairs: tuple[Product, int]
) -> dict[str, Any]:
    """Take an order and confirm it."""
    answer = await confirm(orders, await an_order(orders, customer, *pairs))
    assert answer.status == 200, answer.body
    confirmed: dict[str, Any] = answer.json
    return confirmed
