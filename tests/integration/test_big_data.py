"""Many made-up rows: they are what the services themselves would have written."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from benchmark import loading, rows
from benchmark.loading import Connection, Loaded, add_orders, load
from benchmark.rows import OrderMaker, Row
from db.doctor.__main__ import examine
from local_system.database import DatabaseServer
from tests.database_servers import TestDatabase, create_database

SIZE = 200


@pytest.fixture(scope="module")
def big(database: TestDatabase) -> TestDatabase:
    """Return a database of its own, with some rows in it."""
    admin = database.admin
    own = create_database(
        DatabaseServer(admin.host, admin.port, admin.admin_user, admin.admin_password)
    )
    own.query(
        "INSERT INTO customers (name, email, search_text, deleted_at)"
        " VALUES ('ACME', 'a@b.example', '', UTC_TIMESTAMP(3))"
    )
    return own


@pytest.fixture(scope="module")
def connection(big: TestDatabase) -> Iterator[Connection]:
    with big.connect() as opened:
        yield opened


@pytest.fixture(scope="module")
def loaded(connection: Connection) -> Loaded:
    return load(connection, SIZE)


def test_there_are_as_many_as_were_asked_for_beside_those_that_were_there(
    big: TestDatabase, loaded: Loaded
) -> None:
    assert big.query("SELECT COUNT(*) FROM customers") == [(1 + SIZE,)]
    assert big.query("SELECT COUNT(*) FROM products") == [(SIZE // 10,)]
    assert big.query("SELECT COUNT(*) FROM orders") == [(2 * SIZE,)]
    assert big.query("SELECT COUNT(*) FROM order_items") == [(2 * SIZE * rows.ITEMS,)]
    assert loaded.customers == range(2, SIZE + 2)


def test_every_reference_holds_though_none_was_checked(big: TestDatabase, loaded: Loaded) -> None:
    lost = big.query(
        "SELECT COUNT(*) FROM order_items LEFT JOIN orders ON orders.id = order_id"
        " LEFT JOIN products ON products.id = product_id"
        " LEFT JOIN customers ON customers.id = customer_id"
        " WHERE orders.id IS NULL OR products.id IS NULL OR customers.id IS NULL"
    )

    assert lost == [(0,)]


def test_totals_are_those_of_the_items(big: TestDatabase, loaded: Loaded) -> None:
    wrong = big.query(
        "SELECT orders.id FROM orders JOIN order_items ON order_id = orders.id"
        " GROUP BY orders.id, total_cents HAVING total_cents <> SUM(subtotal_cents)"
    )

    assert wrong == []


@pytest.mark.parametrize(
    ("table", "terms", "reference"),
    [
        ("customers", "customer_terms", "customer_id"),
        ("products", "product_terms", "product_id"),
    ],
)
def test_every_customer_and_product_has_its_words(
    big: TestDatabase, loaded: Loaded, table: str, terms: str, reference: str
) -> None:
    texts = big.query(f"SELECT id, search_text FROM {table} WHERE search_text <> ''")
    found_by = big.query(f"SELECT {reference}, term FROM {terms}")

    assert texts
    assert sorted(found_by) == sorted(
        (number, word) for number, text in texts for word in str(text).split()
    )


def test_a_common_word_and_a_rare_one(big: TestDatabase, loaded: Loaded) -> None:
    with_word = "SELECT COUNT(*) FROM customer_terms WHERE term = %s"

    assert big.query(with_word, rows.COMMON_WORD) == [(SIZE // len(rows.KINDS),)]
    assert big.query(with_word, rows.rare_word(loaded.customers.start)) == [(1,)]


def test_orders_to_be_confirmed_are_created_ones(
    big: TestDatabase, connection: Connection, loaded: Loaded
) -> None:
    fresh = add_orders(connection, loaded, 5)

    states = big.query("SELECT id, status FROM orders WHERE id >= %s ORDER BY id", fresh.start)
    assert states == [(number, "CREATED") for number in fresh]


def test_the_doctor_finds_nothing_wrong_with_them(
    big: TestDatabase, connection: Connection, loaded: Loaded
) -> None:
    add_orders(connection, loaded, 5)

    assert examine(big.admin) == []


def test_an_interrupted_load_leaves_what_the_services_could_have_written(
    big: TestDatabase,
    connection: Connection,
    loaded: Loaded,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loading, "CHUNK", 10)
    orders_before = big.query("SELECT COUNT(*) FROM orders")

    class Interrupting(OrderMaker):
        def order(self, number: int) -> tuple[Row, list[Row]]:
            if number == self.orders.start + 25:
                raise KeyboardInterrupt
            return super().order(number)

    first = loaded.orders.stop + 100
    maker = Interrupting(
        loaded.customers,
        loaded.products,
        range(first, first + 50),
        datetime.now(UTC).replace(tzinfo=None),
    )
    with pytest.raises(KeyboardInterrupt):
        loading.load_orders(connection, maker, quietly=True)

    ((after,),) = big.query("SELECT COUNT(*) FROM orders")
    assert [(int(str(after)) - 20,)] == orders_before
    assert examine(big.admin) == []
