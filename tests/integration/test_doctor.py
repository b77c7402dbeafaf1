"""What the doctor finds in a database, and that it finds nothing where nothing is wrong."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pymysql
import pytest

from db.connection import DatabaseError
from db.doctor import __main__ as doctor
from db.doctor.books import Books, check_against
from db.doctor.findings import Check, Connection, Result
from db.doctor.guards import present, written
from db.doctor.schema import SCHEMA_CHECKS
from db.seed import seed
from local_system.database import DatabaseServer
from service_kit.clock import rfc3339_or_none
from tests import database_servers
from tests.apis import Api
from tests.builders import a_customer, a_product, an_order, lines, unique
from tests.database_servers import TestDatabase
from tests.integration.broken_invariants import BROKEN, GUARDS, UNIQUE
from tests.integration.order_calls import cancel, confirm, create, patch
from tests.plans import random_plan

ROOT = Path(__file__).resolve().parents[2]

ROW_CHECKS = [check for check in doctor.CHECKS if check not in SCHEMA_CHECKS]

Start = Callable[..., Api]


def a_database(beside: TestDatabase) -> TestDatabase:
    """Make a database with the example data, on the same server as another one."""
    admin = beside.admin
    server = DatabaseServer(admin.host, admin.port, admin.admin_user, admin.admin_password)
    made = database_servers.create_database(server)
    seed(made.admin)
    return made


@pytest.fixture(scope="module")
def own(database: TestDatabase) -> TestDatabase:
    return a_database(database)


@pytest.fixture(scope="module")
def unguarded(database: TestDatabase) -> TestDatabase:
    """Return a database with some keys, and without what guards its rows."""
    made = a_database(database)
    for order_id, operation in ((1, "create"), (4, "create"), (4, "confirm"), (5, "cancel")):
        store_response(made, order_id, operation)
    for table, constraints in GUARDS.items():
        for constraint in constraints:
            made.query(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")
    # An index that a foreign key needs cannot go without another in its place.
    made.query("CREATE INDEX order_items_order ON order_items (order_id)")
    for table, index in UNIQUE.items():
        made.query(f"DROP INDEX {index} ON {table}")
    return made


def store_response(database: TestDatabase, order_id: int, operation: str) -> None:
    """Write a key as the Orders API would have, when the operation was done."""
    order: Any = database.query(
        "SELECT customer_id, total_cents, confirmed_at, canceled_at FROM orders WHERE id = %s",
        order_id,
    )[0]
    customer_id, total_cents, confirmed_at, canceled_at = order
    is_new = operation == "create"
    status = {"create": "CREATED", "confirm": "CONFIRMED", "cancel": "CANCELED"}[operation]
    body = {
        "id": order_id,
        "customer_id": customer_id,
        "status": status,
        "total_cents": total_cents,
        "confirmed_at": None if is_new else rfc3339_or_none(confirmed_at),
        "canceled_at": rfc3339_or_none(canceled_at) if operation == "cancel" else None,
        "items": [{"subtotal_cents": total_cents}],
    }
    database.query(
        "INSERT INTO idempotency_keys (`key`, target_type, target_id, fingerprint, status,"
        " location, response_body, expires_at)"
        " VALUES (%s, %s, %s, 'f', %s, %s, %s, UTC_TIMESTAMP(3) + INTERVAL 1 DAY)",
        f"key-{operation}-{order_id}",
        f"order.{operation}",
        order_id,
        201 if is_new else 200,
        f"/orders/{order_id}" if is_new else None,
        json.dumps(body),
    )


@contextmanager
def changed(database: TestDatabase, statements: str) -> Iterator[Connection]:
    """Change rows, whatever refers to them, and hand out the connection that sees it; undo all."""
    admin = database.admin
    with closing(
        pymysql.connect(
            host=admin.host,
            port=admin.port,
            user=admin.admin_user,
            password=admin.admin_password,
            database=admin.database,
            charset="utf8mb4",
            init_command="SET time_zone = '+00:00', foreign_key_checks = 0",
        )
    ) as connection:
        connection.begin()
        with connection.cursor() as cursor:
            for statement in statements.split("; "):
                assert cursor.execute(statement), f"changed nothing: {statement}"
        yield connection
        connection.rollback()


def wrong(connection: Connection, checks: Sequence[Check] = ROW_CHECKS) -> dict[str, Result]:
    """Return what the checks find, by their names."""
    results = [check.run(connection) for check in checks]
    return {result.name: result for result in results if result.count}


def test_every_invariant_is_broken_here() -> None:
    assert set(BROKEN) == {check.name for check in ROW_CHECKS}


@pytest.mark.parametrize(
    ("name", "statements"),
    [(name, statements) for name, several in BROKEN.items() for statements in several],
)
def test_a_broken_invariant_is_named(unguarded: TestDatabase, name: str, statements: str) -> None:
    with changed(unguarded, statements) as connection:
        found = wrong(connection)

    assert name in found


def test_without_a_change_nothing_is_wrong_there(unguarded: TestDatabase) -> None:
    with changed(unguarded, "SELECT 1") as connection:
        assert wrong(connection) == {}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE orders SET created_at = confirmed_at + INTERVAL 1 SECOND WHERE id = 2",
        "UPDATE products SET updated_at = created_at - INTERVAL 1 SECOND WHERE id = 9",
    ],
)
def test_a_clock_that_was_set_back_by_a_second_is_no_mistake(
    unguarded: TestDatabase, statement: str
) -> None:
    with changed(unguarded, statement) as connection:
        assert wrong(connection) == {}


def test_it_says_how_many_which_and_since_when(unguarded: TestDatabase) -> None:
    with changed(unguarded, "UPDATE orders SET total_cents = total_cents + 1") as connection:
        (found,) = (r for r in wrong(connection).values() if "total is the sum" in r.name)

    assert found.count == 5
    assert found.line() == (
        "WRONG  an order's total is the sum of its items, and it has some: not so for order 1,"
        " order 2, order 3, order 4, order 5; since 2026-02-02T08:30:00.000Z at the earliest"
    )


def test_of_many_it_names_the_first(unguarded: TestDatabase) -> None:
    with changed(unguarded, "UPDATE products SET stock = -1") as connection:
        line = wrong(connection)["stock and prices are not negative"].line()

    assert line.count("product ") == 5
    assert ", and 5 more; since " in line


async def run_a_day(customers: Api, orders: Api) -> None:
    """Let a good part of what can happen to orders happen, at random, at the same time."""
    plan = random_plan()
    customer = await a_customer(customers)
    products = [await a_product(orders, stock=50) for _ in range(3)]

    async def one_order() -> None:
        headers = {"X_Idempotency_Key": unique("key")} if plan.random() < 0.7 else {}
        chosen = plan.sample(products, plan.randint(1, 3))
        wanted = lines(*((product, plan.randint(1, 4)) for product in chosen))
        answer = await create(orders, customer["id"], wanted, **headers)
        if answer.status == 201 and plan.random() < 0.7:
            await confirm(orders, answer.json)
        if answer.status == 201 and plan.random() < 0.5:
            await cancel(orders, answer.json, X_Idempotency_Key=unique("cancel"))

    await asyncio.gather(*(one_order() for _ in range(60)))
    renamed = {"name": "Señor Ñ", "email": customer["email"], "phone": "+34 (91) 5"}
    await customers.call("PUT", f"/customers/{customer['id']}", renamed)
    await patch(orders, products[0], {"stock_delta": 5, "name": "Café & Ñandú"})
    leaver = await a_customer(customers)
    await customers.call("DELETE", f"/customers/{leaver['id']}")


@pytest.fixture
def services(own: TestDatabase, start_customers: Start, start_orders: Start) -> tuple[Api, Api]:
    customers = start_customers(**own.customers_variables())
    return customers, start_orders(customers.base_url, **own.orders_variables())


async def test_nothing_is_wrong_while_a_busy_day_goes_on_nor_after_it(
    own: TestDatabase, services: tuple[Api, Api]
) -> None:
    day = asyncio.create_task(run_a_day(*services))
    while not day.done():
        assert await asyncio.to_thread(doctor.examine, own.admin) == []
    await day

    assert doctor.examine(own.admin) == []


async def test_books_show_units_that_came_or_went_by_nobodys_hand(
    own: TestDatabase, services: tuple[Api, Api], tmp_path: Path
) -> None:
    customers, orders = services
    untouched, adjusted, lost = [await a_product(orders, stock=10) for _ in range(3)]
    customer = await a_customer(customers)
    with doctor.snapshot(own.admin) as connection:
        Books.of(connection).write(tmp_path / "books.json")
    for product in (untouched, adjusted, lost):
        order = await an_order(orders, customer, (product, 2))
        await an_order(orders, customer, (product, 1))
        await cancel(orders, order)
    await patch(orders, adjusted, {"stock_delta": 5})
    own.query("UPDATE products SET stock = stock + 2 WHERE id = %s", lost["id"])

    with doctor.snapshot(own.admin) as connection:
        result = check_against(Books.read(tmp_path / "books.json")).run(connection)

    own.query("UPDATE products SET stock = stock - 2 WHERE id = %s", lost["id"])
    assert result.subjects == [f"product {lost['id']} (10 units then, 12 now)"]
    assert result.since is not None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"noted_at": "x", "products": {}}'])
def test_a_file_without_books_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "books.json"
    file.write_text(text)

    with pytest.raises(DatabaseError, match="holds no books"):
        Books.read(file)


def test_it_cannot_write(own: TestDatabase) -> None:
    with (
        doctor.snapshot(own.admin) as connection,
        connection.cursor() as cursor,
        pytest.raises(pymysql.err.Error, match=r"(?i)read.only"),
    ):
        cursor.execute("UPDATE products SET stock = 0")


def test_the_schema_is_read_as_the_server_has_it(own: TestDatabase) -> None:
    with doctor.snapshot(own.admin) as connection:
        assert present(connection, own.admin.database) == written()


@pytest.fixture(scope="module")
def weakened(database: TestDatabase) -> TestDatabase:
    return a_database(database)


@pytest.mark.parametrize(
    ("weaken", "strengthen", "named"),
    [
        pytest.param(
            "ALTER TABLE products DROP CONSTRAINT products_stock_not_negative",
            "ALTER TABLE products ADD CONSTRAINT products_stock_not_negative CHECK (stock >= 0)",
            ["check products_stock_not_negative of products"],
            id="no check",
        ),
        pytest.param(
            "DROP INDEX orders_by_time ON orders",
            "CREATE INDEX orders_by_time ON orders (created_at, id)",
            ["index orders_by_time of orders"],
            id="no index",
        ),
        pytest.param(
            "ALTER TABLE orders DROP KEY orders_by_time, ADD KEY orders_by_time (created_at)",
            "ALTER TABLE orders DROP KEY orders_by_time, ADD KEY orders_by_time (created_at, id)",
            ["index orders_by_time of orders"],
            id="an index of other columns",
        ),
        pytest.param(
            "ALTER TABLE products DROP KEY products_sku_key, ADD KEY products_sku_key (sku_key)",
            "ALTER TABLE products DROP KEY products_sku_key,"
            " ADD UNIQUE KEY products_sku_key (sku_key)",
            ["index products_sku_key of products"],
            id="a plain index for a unique one",
        ),
        pytest.param(
            "ALTER TABLE order_items DROP FOREIGN KEY order_items_product",
            "ALTER TABLE order_items ADD CONSTRAINT order_items_product"
            " FOREIGN KEY (product_id) REFERENCES products (id)",
            ["foreign key order_items_product of order_items"],
            id="no foreign key, though an index of its name",
        ),
        pytest.param(
            "ALTER TABLE customer_terms DROP FOREIGN KEY customer_terms_customer;"
            "ALTER TABLE customer_terms ADD CONSTRAINT customer_terms_customer"
            " FOREIGN KEY (customer_id) REFERENCES customers (id)",
            "ALTER TABLE customer_terms DROP FOREIGN KEY customer_terms_customer;"
            "ALTER TABLE customer_terms ADD CONSTRAINT customer_terms_customer"
            " FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE",
            ["foreign key customer_terms_customer of customer_terms"],
            id="a foreign key of another rule",
        ),
        pytest.param(
            "ALTER TABLE order_items MODIFY qty BIGINT NULL",
            "ALTER TABLE order_items MODIFY qty BIGINT NOT NULL",
            ["column qty of order_items"],
            id="a column that may be NULL",
        ),
        pytest.param(
            "ALTER TABLE products MODIFY name VARCHAR(150) NOT NULL",
            "ALTER TABLE products MODIFY name VARCHAR(200) NOT NULL",
            ["column name of products"],
            id="a narrower column",
        ),
        pytest.param(
            "ALTER TABLE products MODIFY name VARCHAR(200) COLLATE utf8mb4_general_ci NOT NULL",
            "ALTER TABLE products MODIFY name VARCHAR(200) COLLATE utf8mb4_bin NOT NULL",
            ["column name of products"],
            id="a column compared in another way",
        ),
        pytest.param(
            "ALTER TABLE idempotency_keys ENGINE = MyISAM",
            "ALTER TABLE idempotency_keys ENGINE = InnoDB",
            ["engine InnoDB of idempotency_keys"],
            id="a table without transactions",
        ),
        pytest.param(
            "DELETE FROM schema_migrations WHERE version = '20261124000003'",
            "INSERT INTO schema_migrations VALUES ('20261124000003')",
            ["20261124000003_orders.sql"],
            id="a migration that was not run",
        ),
    ],
)
def test_a_guard_that_is_missing_or_weaker_is_named(
    weakened: TestDatabase, weaken: str, strengthen: str, named: list[str]
) -> None:
    run_all(weakened, weaken)
    with doctor.snapshot(weakened.admin) as connection:
        found = wrong(connection, SCHEMA_CHECKS)
    run_all(weakened, strengthen)

    assert [subject for result in found.values() for subject in result.subjects] == named
    with doctor.snapshot(weakened.admin) as connection:
        assert wrong(connection, SCHEMA_CHECKS) == {}


def run_all(database: TestDatabase, statements: str) -> None:
    for statement in statements.split(";"):
        database.query(statement)


def test_a_check_that_is_not_obeyed_is_named(weakened: TestDatabase) -> None:
    ((version,),) = weakened.query("SELECT VERSION()")
    if "MariaDB" in str(version):
        pytest.skip("MariaDB obeys every constraint that is there")
    weakened.query("ALTER TABLE orders ALTER CHECK orders_times_fit_status NOT ENFORCED")

    with doctor.snapshot(weakened.admin) as connection:
        (found,) = wrong(connection, SCHEMA_CHECKS).values()

    weakened.query("ALTER TABLE orders ALTER CHECK orders_times_fit_status ENFORCED")
    assert found.subjects == ["check orders_times_fit_status of orders"]


def run_doctor(database: TestDatabase, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "db.doctor", *arguments],
        cwd=ROOT,
        env=database.set_up_variables(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_tells_by_its_exit_code(database: TestDatabase, tmp_path: Path) -> None:
    patient = a_database(database)
    books = tmp_path / "books.json"

    well = run_doctor(patient, "--books", str(books))
    assert (well.returncode, well.stderr) == (0, "")
    assert f"the books are noted in {books}" in well.stdout
    assert well.stdout.endswith(f"{len(doctor.CHECKS)} checks, all is well\n")

    patient.query("UPDATE orders SET version = 7 WHERE id = 3")
    patient.query("UPDATE products SET stock = stock + 1 WHERE id = 9")
    ill = run_doctor(patient, "--books", str(books))
    assert ill.returncode == 1
    assert (
        "WRONG  an order was changed once for each status that it reached: not so for order 3;"
        in (ill.stdout)
    )
    assert "product 9 (600 units then, 601 now)" in ill.stdout
    assert ill.stdout.endswith(f"{len(doctor.CHECKS) + 1} checks, 2 wrong\n")

    (tmp_path / "none.json").write_text("")
    unread = run_doctor(patient, "--books", str(tmp_path / "none.json"))
    assert unread.returncode == 2
    assert unread.stderr.startswith("error: ")
