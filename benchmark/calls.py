"""The calls that are measured: what is sent, what must come back, what is prepared, the target."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmark.loading import add_orders
from benchmark.stand import Stand
from benchmark.wrk import Load

CREATED = 201
STEPS_A_SECOND = 8_000
"""An order can be confirmed once, so that each second of a burst needs as many fresh ones as could
be confirmed in it. They are written by SQL before the burst, in CREATED, with their items."""

Prepare = Callable[[Stand, int], Load]
"""Makes a burst of so many seconds ready and says what is sent."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the Orders API.

    ``target`` is the least ratio of its requests for each CPU-second of the serving process to
    those of the hello world.
    """

    name: str
    title: str
    target: float
    prepare: Prepare


def plain(request: str, **expected: Any) -> Prepare:
    """Return what prepares nothing: the request is for rows that are there."""

    def prepare(stand: Stand, _seconds: int) -> Load:
        return load_of(stand, request, **expected)

    return prepare


def steps(request: str, status: str) -> Prepare:
    """Return what prepares a step that each order takes once."""

    def prepare(stand: Stand, seconds: int) -> Load:
        fresh = add_orders(stand.connection, stand.loaded, STEPS_A_SECOND * seconds)
        return load_of(stand, request, text=f'"status":"{status}"', orders=fresh)

    return prepare


def load_of(stand: Stand, request: str, **expected: Any) -> Load:
    """Return a load of the Orders API, about any of the rows unless something else is said."""
    ids = {
        "customers": stand.loaded.customers,
        "products": stand.loaded.products,
        "orders": stand.loaded.orders,
    }
    known = {"url": stand.system.orders_url, "token": stand.token, **ids}
    return Load(request=request, **{**known, **expected})


CALLS = (
    Call("get_product", "GET /products/:id", 0.50, plain("get_product", text='"price_cents":')),
    Call("get_order", "GET /orders/:id, 3 items", 0.48, plain("get_order", text='"qty":')),
    Call(
        "list_orders",
        "GET /orders?limit=20",
        0.30,
        plain("path", path="/orders?limit=20", text='"next_cursor":"'),
    ),
    Call(
        "create_order",
        "POST /orders, 3 items",
        0.17,
        plain("create_order", statuses=(CREATED,), text='"status":"CREATED"'),
    ),
    Call(
        "create_order_keyed",
        "POST /orders, 3 items, with a key",
        0.15,
        plain("create_order_keyed", statuses=(CREATED,), text='"status":"CREATED"'),
    ),
    Call("confirm_order", "POST /orders/:id/confirm", 0.25, steps("confirm_order", "CONFIRMED")),
)
