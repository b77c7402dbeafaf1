"""What holds for orders, their items, and the stock that they took."""

from db.doctor.findings import by_query

ORDER_CHECKS = (
    by_query(
        "an order's total is the sum of its items, and it has some",
        "order",
        "SELECT orders.id, created_at FROM orders LEFT JOIN"
        " (SELECT order_id, SUM(subtotal_cents) AS cents FROM order_items GROUP BY order_id)"
        " AS sums ON order_id = orders.id WHERE cents IS NULL OR cents <> total_cents",
    ),
    by_query(
        "an item's subtotal is its quantity times its frozen price, and neither is negative",
        "order",
        "SELECT order_id, created_at FROM order_items LEFT JOIN orders ON orders.id = order_id"
        " WHERE subtotal_cents <> qty * unit_price_cents OR qty <= 0 OR unit_price_cents < 0",
    ),
    by_query(
        "an order's times fit its status",
        "order",
        "SELECT id, created_at FROM orders WHERE CASE status"
        " WHEN 'CREATED' THEN confirmed_at IS NULL AND canceled_at IS NULL"
        " WHEN 'CONFIRMED' THEN confirmed_at IS NOT NULL AND canceled_at IS NULL"
        " WHEN 'CANCELED' THEN canceled_at IS NOT NULL ELSE FALSE END = FALSE",
    ),
    # The server's clock may be set back a little between two changes.
    by_query(
        "an order is confirmed after it was created, and canceled after both (to a second)",
        "order",
        "SELECT id, created_at FROM orders WHERE confirmed_at < created_at - INTERVAL 1 SECOND"
        " OR canceled_at < created_at - INTERVAL 1 SECOND"
        " OR canceled_at < confirmed_at - INTERVAL 1 SECOND",
    ),
    by_query(
        "an order was changed once for each status that it reached",
        "order",
        "SELECT id, created_at FROM orders"
        " WHERE version <> 1 + (confirmed_at IS NOT NULL) + (canceled_at IS NOT NULL)",
    ),
    by_query(
        "an order has a customer",
        "order",
        "SELECT orders.id, orders.created_at FROM orders"
        " LEFT JOIN customers ON customers.id = customer_id WHERE customers.id IS NULL",
    ),
    by_query(
        "an item has its order and its product",
        "item",
        "SELECT order_items.id, orders.created_at FROM order_items"
        " LEFT JOIN orders ON orders.id = order_id LEFT JOIN products ON products.id = product_id"
        " WHERE orders.id IS NULL OR products.id IS NULL",
    ),
    by_query(
        "an order names a product once",
        "order",
        "SELECT order_id, MIN(created_at) FROM order_items LEFT JOIN orders ON orders.id = order_id"
        " GROUP BY order_id, product_id HAVING COUNT(*) > 1",
    ),
    by_query(
        "stock and prices are not negative",
        "product",
        "SELECT id, updated_at FROM products WHERE stock < 0 OR price_cents < 0",
    ),
    # Each sale and each return counts one change of the product; whoever sets its stock, another.
    by_query(
        "a product changed at least once for each order that took or gave back its units",
        "product",
        "SELECT products.id, products.updated_at FROM products JOIN"
        " (SELECT product_id, COUNT(*) + SUM(canceled_at IS NOT NULL) AS moves FROM order_items"
        " JOIN orders ON orders.id = order_id GROUP BY product_id) AS moved"
        " ON product_id = products.id WHERE version < 1 + moves",
    ),
)
