"""What holds for idempotency keys: each tells truly of an effect that is there."""

import json
from collections.abc import Iterable
from typing import Any

from db.doctor.findings import Check, Connection, Finding, by_query, rows
from service_kit.clock import rfc3339

_STORED = (
    "SELECT target_type, target_id, idempotency_keys.status, location, response_body,"
    " idempotency_keys.created_at, customer_id, total_cents, confirmed_at, canceled_at"
    " FROM idempotency_keys JOIN orders ON orders.id = target_id"
)


def _untrue_responses(connection: Connection) -> Iterable[Finding]:
    """Find responses that tell something else than their orders do; the key itself is not shown."""
    for operation, order_id, status, location, body, moment, *order in rows(connection, _STORED):
        told = (status, location, *_told(body))
        if told != _true(operation, order_id, order):
            yield Finding(f"the {operation} of order {order_id}", moment)


def _told(body: bytes) -> tuple[Any, ...]:
    """Return what a stored body says: id, customer, status, total, moment, sum of the items."""
    try:
        order = json.loads(body)
        moment = {"CONFIRMED": "confirmed_at", "CANCELED": "canceled_at"}.get(order["status"])
        return (
            order["id"],
            order["customer_id"],
            order["status"],
            order["total_cents"],
            order[moment] if moment else None,
            sum(item["subtotal_cents"] for item in order["items"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return ()


def _true(operation: str, order_id: int, order: list[Any]) -> tuple[Any, ...]:
    customer_id, total_cents, confirmed_at, canceled_at = order
    status, moment = {
        "order.create": ("CREATED", None),
        "order.confirm": ("CONFIRMED", confirmed_at),
        "order.cancel": ("CANCELED", canceled_at),
    }.get(operation, ("", None))
    is_new = status == "CREATED"
    answer = (201, f"/orders/{order_id}") if is_new else (200, None)
    written = rfc3339(moment) if moment else None
    return (*answer, order_id, customer_id, status, total_cents, written, total_cents)


KEY_CHECKS = (
    by_query(
        "a key has the order that it acted on",
        "a key of order",
        "SELECT target_id, idempotency_keys.created_at FROM idempotency_keys"
        " LEFT JOIN orders ON orders.id = target_id WHERE orders.id IS NULL",
    ),
    by_query(
        "an order was created, and confirmed, under one key at the most",
        "order",
        "SELECT target_id, MAX(created_at) FROM idempotency_keys"
        " WHERE target_type IN ('order.create', 'order.confirm')"
        " GROUP BY target_type, target_id HAVING COUNT(*) > 1",
    ),
    by_query(
        "a key expires after it was written",
        "a key of order",
        "SELECT target_id, created_at FROM idempotency_keys WHERE expires_at <= created_at",
    ),
    Check("a stored response tells what became of its order", _untrue_responses),
)
