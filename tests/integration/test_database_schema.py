"""The schema that people read and the one that migrations make, the example data, the accounts."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pymysql
import pytest

from customers_api.rules import CustomerDetails
from db.connection import connect
from db.doctor.facts import FACTS
from db.seed import seed
from local_system.database import DatabaseServer
from orders_api.products.rules import terms as product_terms
from service_kit.search import search_text, stored_terms
from tests import database_servers
from tests.apis import Api
from tests.database_servers import TestDatabase
from tests.integration.schema_facts import TABLES, facts_of

ROOT = Path(__file__).resolve().parents[2]


def on_the_same_server(database: TestDatabase) -> DatabaseServer:
    admin = database.admin
    return DatabaseServer(admin.host, admin.port, admin.admin_user, admin.admin_password)


@pytest.fixture(scope="module")
def migrated(database: TestDatabase) -> TestDatabase:
    """Return a database of these tests' own, made by the migrations."""
    return database_servers.create_database(on_the_same_server(database))


@pytest.fixture(scope="module")
def seeded(migrated: TestDatabase) -> TestDatabase:
    """Return it with the example data."""
    assert seed(migrated.admin) > 0
    return migrated


@pytest.fixture(scope="module")
def written(database: TestDatabase) -> Iterator[TestDatabase]:
    """Return a database as ``db/schema.sql`` makes it."""
    name = f"{database.admin.database}_written"
    own = TestDatabase(replace(database.admin, database=name))
    database.query(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
    run(own, (ROOT / "db" / "schema.sql").read_text("utf-8"))
    yield own
    database.query(f"DROP DATABASE `{name}`")


def run(database: TestDatabase, statements: str) -> None:
    admin = database.admin
    connection = connect(admin, admin.admin_user, admin.admin_password, admin.database)
    with closing(connection), connection.cursor() as cursor:
        cursor.execute(statements)
        while cursor.nextset():
            pass


@pytest.mark.parametrize("about", FACTS)
def test_the_schema_that_is_read_is_the_one_that_migrations_make(
    migrated: TestDatabase, written: TestDatabase, about: str
) -> None:
    facts = facts_of(written, about)

    assert facts
    assert facts_of(migrated, about) == facts


@pytest.mark.parametrize(
    ("change", "about"),
    [
        ("ALTER TABLE orders DROP KEY orders_by_time", "indexes"),
        ("ALTER TABLE customers MODIFY phone VARCHAR(33)", "columns"),
        ("ALTER TABLE order_items DROP CONSTRAINT order_items_qty_positive", "checks"),
        ("ALTER TABLE orders DROP FOREIGN KEY orders_customer", "foreign keys"),
    ],
)
def test_a_difference_would_be_seen(
    migrated: TestDatabase, database: TestDatabase, change: str, about: str
) -> None:
    name = f"{database.admin.database}_changed"
    changed = TestDatabase(replace(database.admin, database=name))
    database.query(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
    try:
        run(changed, (ROOT / "db" / "schema.sql").read_text("utf-8"))
        changed.query(change)
        assert facts_of(changed, about) != facts_of(migrated, about)
    finally:
        database.query(f"DROP DATABASE `{name}`")


def test_the_example_data_fit_the_schema_that_is_read(written: TestDatabase) -> None:
    run(written, (ROOT / "db" / "seed.sql").read_text("utf-8"))

    assert written.query("SELECT COUNT(*) FROM order_items")[0] > (0,)


def test_the_example_data_have_what_the_contracts_example_needs(seeded: TestDatabase) -> None:
    acme = seeded.query("SELECT name, email, phone IS NOT NULL FROM customers WHERE id = 1")
    product = seeded.query("SELECT price_cents, stock >= 1000 FROM products WHERE id = 2")

    assert acme == [("ACME", "ops@acme.com", 1)]
    assert product == [(129900, 1)]


def test_there_are_enough_of_them_to_look_at(seeded: TestDatabase) -> None:
    ((customers,),) = seeded.query("SELECT COUNT(*) FROM customers WHERE deleted_at IS NULL")
    ((products,),) = seeded.query("SELECT COUNT(*) FROM products")

    assert int(str(customers)) >= 5
    assert int(str(products)) == 10
    assert seeded.query("SELECT DISTINCT status FROM orders ORDER BY status + 0") == [
        ("CREATED",),
        ("CONFIRMED",),
        ("CANCELED",),
    ]


def test_the_totals_of_the_example_orders_add_up(seeded: TestDatabase) -> None:
    assert (
        seeded.query(
            "SELECT orders.id FROM orders LEFT JOIN order_items ON order_id = orders.id"
            " GROUP BY orders.id, total_cents"
            " HAVING total_cents <> COALESCE(SUM(qty * unit_price_cents), -1)"
        )
        == []
    )


def test_an_example_order_that_was_confirmed_was_canceled_in_time_if_at_all(
    seeded: TestDatabase,
) -> None:
    assert (
        seeded.query(
            "SELECT id FROM orders WHERE canceled_at > confirmed_at + INTERVAL 600 SECOND"
            " OR confirmed_at < created_at OR canceled_at < created_at"
        )
        == []
    )


def test_the_words_of_the_example_customers_are_those_that_the_service_writes(
    seeded: TestDatabase,
) -> None:
    for number, name, email, phone, text in seeded.query(
        "SELECT id, name, email, phone, search_text FROM customers"
    ):
        words = CustomerDetails(str(name), str(email), str(phone) if phone else None).terms()
        kept = seeded.query("SELECT term FROM customer_terms WHERE customer_id = %s", number)
        assert text == search_text(words), name
        assert sorted(str(term) for (term,) in kept) == stored_terms(words), name


def test_the_words_of_the_example_products_are_those_that_the_service_writes(
    seeded: TestDatabase,
) -> None:
    for number, sku, name, text in seeded.query("SELECT id, sku, name, search_text FROM products"):
        words = product_terms(str(sku), str(name))
        kept = seeded.query("SELECT term FROM product_terms WHERE product_id = %s", number)
        assert text == search_text(words), name
        assert sorted(str(term) for (term,) in kept) == stored_terms(words), name


@pytest.fixture
def seeded_customers(seeded: TestDatabase, start_customers: Callable[..., Api]) -> Api:
    return start_customers(**seeded.customers_variables())


async def test_the_example_data_are_found_by_the_service(seeded_customers: Api) -> None:
    acme = await seeded_customers.get("/customers/1")
    found = await seeded_customers.get("/customers?search=nandu%20ped")
    taken = await seeded_customers.post("/customers", {"name": "A", "email": "OPS@acme.com"})

    assert acme.json["name"] == "ACME"
    assert [row["id"] for row in found.json["data"]] == [2]
    assert taken.code == "EMAIL_TAKEN"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE customers SET name = '' WHERE id = 1",
        "UPDATE customers SET email = 'OPS@acme.com' WHERE id = 1",
        "UPDATE customers SET email = 'pedidos@cafe-nandu.example' WHERE id = 1",
        "DELETE FROM customers WHERE id = 1",
        "UPDATE products SET stock = -1 WHERE id = 2",
        "UPDATE products SET price_cents = -1 WHERE id = 2",
        "UPDATE products SET sku = 'mon-27' WHERE id = 2",
        "DELETE FROM products WHERE id = 2",
        "UPDATE orders SET total_cents = -1 WHERE id = 1",
        "UPDATE orders SET total_cents = 9007199254740992 WHERE id = 1",
        "UPDATE orders SET status = 'CONFIRMED' WHERE id = 1",
        "UPDATE orders SET status = 'SHIPPED' WHERE id = 1",
        "UPDATE orders SET customer_id = 999 WHERE id = 1",
        "UPDATE order_items SET qty = 0, subtotal_cents = 0 WHERE order_id = 1",
        "UPDATE order_items SET subtotal_cents = subtotal_cents + 1 WHERE order_id = 1",
        "UPDATE order_items SET unit_price_cents = -1, subtotal_cents = -qty WHERE order_id = 1",
        "UPDATE order_items SET product_id = 2 WHERE order_id = 1",
        "UPDATE order_items SET product_id = 999 WHERE order_id = 1",
    ],
)
def test_what_must_never_be_is_refused_by_the_database_itself(
    seeded: TestDatabase, statement: str
) -> None:
    with seeded.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET sql_mode = 'STRICT_ALL_TABLES'")
        with pytest.raises(pymysql.err.MySQLError) as refusal:
            cursor.execute(statement)

    assert refusal.value.args[0] in {1062, 1265, 1451, 1452, 3819, 4025}


READS, ADDS, CHANGES, REMOVES = "SELECT", "INSERT", "UPDATE", "DELETE"
RIGHTS = {
    "customers_service": {
        "customers": {READS, ADDS, CHANGES},
        "customer_terms": {READS, ADDS, REMOVES},
    },
    "orders_service": {
        "products": {READS, ADDS, CHANGES},
        "product_terms": {READS, ADDS, REMOVES},
        "orders": {READS, ADDS, CHANGES},
        "order_items": {READS, ADDS},
        "idempotency_keys": {READS, ADDS, REMOVES},
    },
}
A_COLUMN = {"customer_terms": "term", "product_terms": "term", "idempotency_keys": "status"}
TRIALS = {
    READS: "SELECT 1 FROM {table} LIMIT 0",
    ADDS: "INSERT INTO {table} () VALUES ()",
    CHANGES: "UPDATE {table} SET {column} = 1 LIMIT 0",
    REMOVES: "DELETE FROM {table} LIMIT 0",
    "ALTER": "ALTER TABLE {table} COMMENT = ''",
    "DROP": "DROP TABLE {table}",
    "INDEX": "CREATE INDEX mine ON {table} ({column})",
    "TRUNCATE": "TRUNCATE TABLE {table}",
    "TRIGGER": "CREATE TRIGGER mine BEFORE INSERT ON {table} FOR EACH ROW SET @x = 1",
}
REFUSALS = {1044, 1142, 1143, 1227, 1370}


def connected(database: TestDatabase, account: str) -> "pymysql.Connection[pymysql.cursors.Cursor]":
    admin = database.admin
    passwords = {
        "customers_service": admin.customers_password,
        "orders_service": admin.orders_password,
        "backoffice_migrator": admin.migrator_password,
    }
    return connect(admin, account + admin.account_suffix, passwords[account], admin.database)


def may(connection: "pymysql.Connection[pymysql.cursors.Cursor]", statement: str) -> bool:
    """Tell whether the account has the right, even if the statement fails for another reason."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    except pymysql.err.MySQLError as refusal:
        return refusal.args[0] not in REFUSALS
    finally:
        connection.rollback()
    return True


@pytest.mark.parametrize("account", RIGHTS)
def test_a_service_may_do_to_its_tables_what_it_must_and_nothing_else_to_any(
    migrated: TestDatabase, account: str
) -> None:
    connection = connected(migrated, account)
    with closing(connection):
        connection.autocommit(False)
        held: dict[str, set[str]] = {}
        for table, (right, trial) in itertools.product(
            [*TABLES, "schema_migrations"], TRIALS.items()
        ):
            column = A_COLUMN.get(table, "version" if table == "schema_migrations" else "id")
            if may(connection, trial.format(table=table, column=column)):
                held.setdefault(table, set()).add(right)

    assert held == RIGHTS[account]


@pytest.mark.parametrize("account", RIGHTS)
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id INT)",
        "CREATE DATABASE mine",
        "CREATE USER mine",
        "CREATE VIEW mine AS SELECT 1",
        "CREATE PROCEDURE mine() SELECT 1",
        "SELECT 1 FROM mysql.user",
        "SET GLOBAL max_connections = 1",
        "GRANT SELECT ON customers TO orders_service",
        "USE mysql",
    ],
)
def test_a_service_may_do_nothing_besides(
    migrated: TestDatabase, account: str, statement: str
) -> None:
    with closing(connected(migrated, account)) as connection:
        assert not may(connection, statement)


@pytest.mark.parametrize("account", [*RIGHTS, "backoffice_migrator"])
def test_no_account_reaches_another_database(
    migrated: TestDatabase, database: TestDatabase, account: str
) -> None:
    other = database.admin.database

    with closing(connected(migrated, account)) as connection:
        assert not may(connection, f"USE `{other}`")
        assert not may(connection, f"SHOW TABLES FROM `{other}`")
        assert not may(connection, f"DROP DATABASE `{other}`")


def test_the_migrator_may_change_the_structure_of_its_database_and_make_no_accounts(
    migrated: TestDatabase,
) -> None:
    with closing(connected(migrated, "backoffice_migrator")) as connection:
        assert may(connection, "CREATE TABLE mine (id INT)")
        assert may(connection, "ALTER TABLE mine ADD COLUMN name TEXT")
        assert may(connection, "DROP TABLE mine")
        assert not may(connection, "CREATE USER mine")
        assert not may(connection, "SELECT 1 FROM mysql.user")
