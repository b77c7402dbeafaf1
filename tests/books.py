"""What must hold in the database, whatever died in the middle of what."""

from tests.system.databases import Query

_WRONG = {
    "a product whose stock is negative": "SELECT id FROM products WHERE stock < 0",
    "an order whose total is not that of its items": (
        "SELECT orders.id FROM orders LEFT JOIN order_items ON order_id = orders.id"
        " GROUP BY orders.id, total_cents"
        " HAVING COALESCE(SUM(subtotal_cents), -1) <> total_cents"
    ),
    "an item that is not quantity times price": (
        "SELECT id FROM order_items WHERE subtotal_cents <> qty * unit_price_cents"
    ),
    # Each step makes one version: more of them would be a step taken twice.
    "an order that was changed more often, or less, than its status tells": (
        "SELECT id FROM orders"
        " WHERE version <> 1 + (confirmed_at IS NOT NULL) + (canceled_at IS NOT NULL)"
    ),
    "an order whose times do not follow one another": (
        "SELECT id FROM orders WHERE confirmed_at < created_at OR canceled_at < created_at"
        " OR canceled_at < confirmed_at"
    ),
    "a key without its order": (
        "SELECT target_id FROM idempotency_keys LEFT JOIN orders ON orders.id = target_id"
        " WHERE orders.id IS NULL"
    ),
    "a stored confirmation of an order that is not confirmed": (
        "SELECT orders.id FROM idempotency_keys JOIN orders ON orders.id = target_id"
        " WHERE target_type = 'order.confirm' AND confirmed_at IS NULL"
    ),
    "a stored cancellation of an order that is not canceled": (
        "SELECT orders.id FROM idempotency_keys JOIN orders ON orders.id = target_id"
        " WHERE target_type = 'order.cancel' AND canceled_at IS NULL"
    ),
    "an order that two keys created": (
        "SELECT target_id FROM idempotency_keys WHERE target_type = 'order.create'"
        " GROUP BY target_id HAVING COUNT(*) > 1"
    ),
    "an order that two keys confirmed": (
        "SELECT target_id FROM idempotency_keys WHERE target_type = 'order.confirm'"
        " GROUP BY target_id HAVING COUNT(*) > 1"
    ),
}
_UNITS = (
    "SELECT stock, COALESCE((SELECT SUM(qty) FROM order_items JOIN orders ON orders.id = order_id"
    " WHERE product_id = products.id AND status <> 'CANCELED'), 0) FROM products WHERE id = %s"
)


def mistakes(query: Query) -> list[str]:
    """Return what is wrong with the orders and the keys; nothing, if all is well."""
    return [f"{what}: {row[0]}" for what, statement in _WRONG.items() for row in query(statement)]


def units(query: Query, product: dict[str, object]) -> tuple[int, int]:
    """Return how many units of a product are left, and how many living orders hold."""
    ((left, held),) = query(_UNITS, product["id"])
    return int(str(left)), int(str(held))
