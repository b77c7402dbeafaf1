"""Changes of the example data that no program of ours would make, by the invariant that they break.

The database has a key for the creation of orders 1 and 4, the confirmation of 4, the cancel of 5.
"""

GUARDS = {
    "orders": ("orders_total_in_range", "orders_times_fit_status"),
    "order_items": (
        "order_items_qty_positive",
        "order_items_price_not_negative",
        "order_items_subtotal",
    ),
    "products": ("products_price_not_negative", "products_stock_not_negative"),
    "customers": ("customers_email_lower_case",),
}
"""By table, the constraints by which the server would refuse such changes."""

UNIQUE = {
    "order_items": "order_items_order_product",
    "products": "products_sku_key",
    "customers": "customers_live_email",
}
"""And the unique indexes."""

_ITEM = "WHERE order_id = 2 AND product_id = 5"
_NEW_ITEM = (
    "INSERT INTO order_items (order_id, product_id, qty, unit_price_cents, subtotal_cents)"
    " VALUES (%s, %s, 1, 0, 0)"
)
_SECOND_KEY = (
    "INSERT INTO idempotency_keys (`key`, target_type, target_id, fingerprint, status, location,"
    " response_body, expires_at) SELECT CONCAT(`key`, '2'), target_type, target_id, fingerprint,"
    " status, location, response_body, expires_at FROM idempotency_keys WHERE target_type = '%s'"
    " LIMIT 1"
)
_BODY = "UPDATE idempotency_keys SET response_body ="

BROKEN: dict[str, list[str]] = {
    "an order's total is the sum of its items, and it has some": [
        "UPDATE orders SET total_cents = total_cents + 1 WHERE id = 1",
        "INSERT INTO orders (customer_id, total_cents) VALUES (1, 0)",
        f"DELETE FROM order_items {_ITEM}",
        _NEW_ITEM % (3, 9) + "; UPDATE order_items SET unit_price_cents = 1, subtotal_cents = 1"
        " WHERE order_id = 3 AND product_id = 9",
    ],
    "an item's subtotal is its quantity times its frozen price, and neither is negative": [
        f"UPDATE order_items SET qty = qty + 1 {_ITEM}",
        f"UPDATE order_items SET qty = -qty, unit_price_cents = -unit_price_cents {_ITEM}",
        f"UPDATE order_items SET qty = 0, subtotal_cents = 0 {_ITEM}",
    ],
    "an order's times fit its status": [
        "UPDATE orders SET status = 'CREATED' WHERE id = 2",
        "UPDATE orders SET status = 'CONFIRMED' WHERE id = 5",
        "UPDATE orders SET canceled_at = NULL WHERE id = 3",
        "UPDATE orders SET status = 'CONFIRMED' WHERE id = 1",
    ],
    "an order is confirmed after it was created, and canceled after both (to a second)": [
        "UPDATE orders SET created_at = confirmed_at + INTERVAL 2 SECOND WHERE id = 2",
        "UPDATE orders SET created_at = canceled_at + INTERVAL 2 SECOND WHERE id = 3",
        "UPDATE orders SET confirmed_at = canceled_at + INTERVAL 2 SECOND WHERE id = 5",
    ],
    "an order was changed once for each status that it reached": [
        "UPDATE orders SET version = version + 1 WHERE id = 2",
        "UPDATE orders SET version = 1 WHERE id = 5",
    ],
    "an order has a customer": ["UPDATE orders SET customer_id = 999999 WHERE id = 1"],
    "an item has its order and its product": [
        f"UPDATE order_items SET product_id = 999999 {_ITEM}",
        _NEW_ITEM % (999999, 1),
    ],
    "an order names a product once": [_NEW_ITEM % (1, 2)],
    "stock and prices are not negative": [
        "UPDATE products SET stock = -1 WHERE id = 9",
        "UPDATE products SET price_cents = -1 WHERE id = 9",
    ],
    "a product changed at least once for each order that took or gave back its units": [
        "UPDATE products SET version = 2 WHERE id = 7",
        "UPDATE products SET version = 1 WHERE id = 4",
    ],
    "a key has the order that it acted on": ["UPDATE idempotency_keys SET target_id = 999999"],
    "an order was created, and confirmed, under one key at the most": [
        _SECOND_KEY % "order.confirm",
        _SECOND_KEY % "order.create",
    ],
    "a key expires after it was written": ["UPDATE idempotency_keys SET expires_at = created_at"],
    "a stored response tells what became of its order": [
        f"{_BODY} '{{}}' LIMIT 1",
        f"{_BODY} 'not json' LIMIT 1",
        f"{_BODY} REPLACE(response_body, 'CONFIRMED', 'CREATED')",
        f"{_BODY} REPLACE(response_body, '144800', '144801')",
        "UPDATE idempotency_keys SET status = 500 LIMIT 1",
        "UPDATE idempotency_keys SET location = '/orders/2' WHERE target_type = 'order.create'",
        "UPDATE idempotency_keys SET target_id = 2 WHERE target_type = 'order.confirm'",
        "UPDATE orders SET confirmed_at = confirmed_at + INTERVAL 1 SECOND WHERE id = 4",
    ],
    "an e-mail belongs to one living customer, in lower case": [
        "UPDATE customers SET email = 'OPS@acme.com' WHERE id = 1",
        "UPDATE customers SET email = 'ops@acme.com' WHERE id = 5",
    ],
    "a SKU belongs to one product": ["UPDATE products SET sku = 'mon-27' WHERE id = 9"],
    "versions begin with 1, and no change came before its row (to a second)": [
        "UPDATE customers SET version = 0 WHERE id = 6",
        "UPDATE customers SET updated_at = created_at - INTERVAL 2 SECOND WHERE id = 6",
        "UPDATE products SET updated_at = created_at - INTERVAL 2 SECOND WHERE id = 9",
    ],
    "a living customer is found by its words, and by no others": [
        "UPDATE customers SET name = 'Renamed behind the words' WHERE id = 6",
        "UPDATE customers SET search_text = ' globex' WHERE id = 6",
        "DELETE FROM customer_terms WHERE customer_id = 6 AND term = 'globex'",
        "DELETE FROM customer_terms WHERE customer_id = 6",
        "INSERT INTO customer_terms (customer_id, term) VALUES (6, 'stranger')",
    ],
    "a product is found by its words, and by no others": [
        "UPDATE products SET name = 'Renamed behind the words' WHERE id = 9",
        "DELETE FROM product_terms WHERE product_id = 9",
    ],
    "a word belongs to a living customer, or to a product": [
        "UPDATE customers SET deleted_at = UTC_TIMESTAMP(3) WHERE id = 6",
        "INSERT INTO customer_terms (customer_id, term) VALUES (999999, 'nobody')",
        "INSERT INTO product_terms (product_id, term) VALUES (999999, 'nothing')",
    ],
}
"""By the sentence of a check: statements, several separated by ``; ``, that it must find."""
