"""What holds for customers, products and the words that find them."""

from collections.abc import Iterable
from functools import partial

from db.doctor.findings import Check, Connection, Finding, by_query, rows
from service_kit.search import stored_terms, words

_CUSTOMERS_WORDS = (
    "SELECT id, updated_at, CONCAT_WS(' ', name, email, phone), search_text,"
    " (SELECT GROUP_CONCAT(term SEPARATOR ' ') FROM customer_terms"
    " WHERE customer_id = customers.id) FROM customers WHERE deleted_at IS NULL"
)
_PRODUCTS_WORDS = (
    "SELECT id, updated_at, CONCAT_WS(' ', sku, name), search_text,"
    " (SELECT GROUP_CONCAT(term SEPARATOR ' ') FROM product_terms WHERE product_id = products.id)"
    " FROM products"
)


def _unfit_words(subject: str, query: str, connection: Connection) -> Iterable[Finding]:
    """Find rows whose words are not all in their text, or whose terms are not those of the text."""
    for row_id, moment, visible, text, terms in rows(connection, query):
        kept = str(text).split()
        found = set(str(terms or "").split())
        if not set(words(str(visible))) <= set(kept) or found != set(stored_terms(kept)):
            yield Finding(f"{subject} {row_id}", moment)


CATALOGUE_CHECKS = (
    by_query(
        "an e-mail belongs to one living customer, in lower case",
        "customer",
        "SELECT MAX(id), MAX(updated_at) FROM customers WHERE deleted_at IS NULL"
        " GROUP BY LOWER(email) HAVING COUNT(*) > 1 OR SUM(email <> LOWER(email)) > 0",
    ),
    by_query(
        "a SKU belongs to one product",
        "product",
        "SELECT MAX(id), MAX(created_at) FROM products GROUP BY LOWER(sku) HAVING COUNT(*) > 1",
    ),
    by_query(
        "versions begin with 1, and no change came before its row (to a second)",
        "row",
        "SELECT CONCAT('of customer ', id), updated_at FROM customers"
        " WHERE version < 1 OR updated_at < created_at - INTERVAL 1 SECOND"
        " OR deleted_at < created_at - INTERVAL 1 SECOND UNION ALL"
        " SELECT CONCAT('of product ', id), updated_at FROM products"
        " WHERE version < 1 OR updated_at < created_at - INTERVAL 1 SECOND",
    ),
    Check(
        "a living customer is found by its words, and by no others",
        partial(_unfit_words, "customer", _CUSTOMERS_WORDS),
    ),
    Check(
        "a product is found by its words, and by no others",
        partial(_unfit_words, "product", _PRODUCTS_WORDS),
    ),
    by_query(
        "a word belongs to a living customer, or to a product",
        "word",
        "SELECT CONCAT('of customer ', customer_id), MIN(deleted_at) FROM customer_terms"
        " LEFT JOIN customers ON customers.id = customer_id"
        " WHERE customers.id IS NULL OR deleted_at IS NOT NULL GROUP BY customer_id UNION ALL"
        " SELECT CONCAT('of product ', product_id), NULL FROM product_terms"
        " LEFT JOIN products ON products.id = product_id"
        " WHERE products.id IS NULL GROUP BY product_id",
    ),
)
