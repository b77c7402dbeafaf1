"""The calls that are measured: what is sent, what must come back, what is prepared, the target."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmark.loading import add_orders
from benchmark.stand import Stand
from benchmark.wrk import Load

CREATED = 201
CONFIRMATIONS_A_SECOND = 4_000
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


def _plain(request: str, **expected: Any) -> Prepare:
    def prepare(stand: Stand, _seconds: int) -> Load:
        return _load(stand, request, **expected)

    return prepare


def _confirmations(stand: Stand, seconds: int) -> Load:
    fresh = add_orders(stand.connection, stand.loaded, CONFIRMATIONS_A_SECOND * seconds)
    return _load(stand, "confirm_order", text='"status":"CONFIRMED"', orders=fresh)


def _load(stand: Stand, request: str, **expected: Any) -> Load:
    ids = {
        "customers": stand.loaded.customers,
        "products": stand.loaded.products,
        "orders": stand.loaded.orders,
    }
    return Load(stand.system.orders_url, request, stand.token, **{**ids, **expected})


CALLS = (
    Call("get_product", "GET /products/:id", 0.50, _plain("get_product", text='"price_cents":')),
    Call("get_order", "GET /orders/:id, 3 items", 0.48, _plain("get_order", text='"qty":')),
    Call(
        "list_orders",
        "GET /orders?limit=20",
        0.30,
        _plain("path", path="/orders?limit=20", text='"next_cursor":"'),
    ),
    Call(
        "create_order",
        "POST /orders, 3 items",
        0.17,
        _plain("create_order", status=CREATED, text='"status":"CREATED"'),
    ),
    Call(
        "create_order_keyed",
        "POST /orders, 3 items, with a key",
        0.15,
        _plain("create_order_keyed", status=CREATED, text='"status":"CREATED"'),
    ),
    Call("confirm_order", "POST /orders/:id/confirm", 0.25, _confirmations),
)
