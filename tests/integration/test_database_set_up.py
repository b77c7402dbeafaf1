"""Setting the database up: who may do what, and that doing it again is harmless."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pymysql
import pytest

from db.accounts import GRANTS
from db.connection import DatabaseError, administrator, connect
from db.migrate import migrate
from db.seed import SEED, seed
from local_system.database import DatabaseServer
from tests import database_servers
from tests.database_servers import TestDatabase
from tests.integration import schema_facts

TABLES = (*schema_facts.TABLES, "schema_migrations")
READ, DELETE = "SELECT COUNT(*) FROM {}", "DELETE FROM {}"
COMMAND_DENIED = 1142
ACCESS_DENIED = 1045


@pytest.fixture(scope="module")
def own(database: TestDatabase) -> TestDatabase:
    """Return a database that no other test uses."""
    server = DatabaseServer(
        database.admin.host,
        database.admin.port,
        database.admin.admin_user,
        database.admin.admin_password,
    )
    return database_servers.create_database(server)


@pytest.fixture(params=["customers_service", "orders_service"])
def account(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def service(
    own: TestDatabase, account: str
) -> Iterator["pymysql.Connection[pymysql.cursors.Cursor]"]:
    passwords = {
        "customers_service": own.admin.customers_password,
        "orders_service": own.admin.orders_password,
    }
    connection = pymysql.connect(
        host=own.admin.host,
        port=own.admin.port,
        user=account + own.admin.account_suffix,
        password=passwords[account],
        database=own.admin.database,
        autocommit=True,
    )
    yield connection
    connection.close()


def is_refused(connection: "pymysql.Connection[pymysql.cursors.Cursor]", statement: str) -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    except pymysql.err.OperationalError as refusal:
        return bool(refusal.args[0] == COMMAND_DENIED)
    return False


def test_a_service_reads_its_own_tables_and_no_other(
    service: "pymysql.Connection[pymysql.cursors.Cursor]", account: str
) -> None:
    readable = {table for table in TABLES if not is_refused(service, READ.format(table))}

    assert readable == set(GRANTS[account])


def test_a_service_deletes_only_where_its_code_does(
    service: "pymysql.Connection[pymysql.cursors.Cursor]", account: str
) -> None:
    deletable = {table for table in TABLES if not is_refused(service, DELETE.format(table))}

    assert deletable == {table for table, may in GRANTS[account].items() if "DELETE" in may}
    assert not deletable & {"customers", "products", "orders", "order_items"}


def test_a_service_changes_no_structure(
    service: "pymysql.Connection[pymysql.cursors.Cursor]",
) -> None:
    assert is_refused(service, "CREATE TABLE mine (id INT)")
    assert is_refused(service, "DROP TABLE orders")


def test_migrating_again_applies_nothing(own: TestDatabase) -> None:
    assert migrate(own.admin) == ""


def test_four_processes_that_set_up_one_database_at_once_all_succeed(own: TestDatabase) -> None:
    fresh = replace(own.admin, database=f"{own.admin.database}_raced")

    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(lambda _: migrate(fresh), range(4)))

    assert sum(bool(text) for text in applied) == 1
    own.query(f"DROP DATABASE `{fresh.database}`")


def test_a_right_that_a_service_should_not_have_is_taken_away(own: TestDatabase) -> None:
    user = f"orders_service{own.admin.account_suffix}"
    own.query(f"GRANT DELETE ON `{own.admin.database}`.orders TO %s@'%%'", user)

    migrate(own.admin)

    grants = " ".join(str(row[0]) for row in own.query("SHOW GRANTS FOR %s@'%%'", user))
    assert "`orders`" in grants
    assert "DELETE ON `" + own.admin.database + "`.`orders`" not in grants.replace(", ", " ")


def test_a_changed_password_is_taken_over(own: TestDatabase) -> None:
    changed = replace(own.admin, customers_password="it's a new \\ one")

    migrate(changed)

    user = f"customers_service{own.admin.account_suffix}"
    connect(changed, user, changed.customers_password).close()
    with pytest.raises(pymysql.err.OperationalError) as refusal:
        connect(changed, user, own.admin.customers_password)
    assert refusal.value.args[0] == ACCESS_DENIED
    migrate(own.admin)


def test_a_migration_that_fails_is_told_with_the_servers_words(
    own: TestDatabase, tmp_path: Path
) -> None:
    file = tmp_path / "20990101000000_wrong.sql"
    file.write_text("-- migrate:up\nCREATE NONSENSE;\n-- migrate:down\n")

    with pytest.raises(DatabaseError, match=r"20990101000000_wrong[\s\S]*NONSENSE") as failure:
        migrate(own.admin, tmp_path)

    assert own.admin.migrator_password not in str(failure.value)


def test_the_example_data_are_loaded_once(own: TestDatabase) -> None:
    assert seed(own.admin) > 0
    products = own.query("SELECT id, stock FROM products ORDER BY id")

    assert seed(own.admin) == 0
    assert own.query("SELECT id, stock FROM products ORDER BY id") == products
    assert products


def test_of_data_that_cannot_be_loaded_nothing_stays(own: TestDatabase, tmp_path: Path) -> None:
    fresh = replace(own.admin, database=f"{own.admin.database}_unloaded")
    migrate(fresh)
    broken = tmp_path / "broken.sql"
    data = SEED.read_text(encoding="utf-8")
    broken.write_text(data.replace("\nCOMMIT;", "\nINSERT INTO nowhere VALUES (1);\nCOMMIT;"))

    with pytest.raises(DatabaseError, match="nowhere"):
        seed(fresh, broken)

    assert TestDatabase(fresh).query("SELECT COUNT(*) FROM customers") == [(0,)]
    own.query(f"DROP DATABASE `{fresh.database}`")


def test_a_server_that_is_away_is_waited_for_and_then_told(own: TestDatabase) -> None:
    away = replace(own.admin, port=1)

    with (
        pytest.raises(DatabaseError, match="cannot use the server at"),
        administrator(away, wait_seconds=0.3),
    ):
        pass


def test_a_wrong_password_is_told_at_once(own: TestDatabase) -> None:
    wrong = replace(own.admin, admin_password="wrong")

    with (
        pytest.raises(DatabaseError, match="Access denied"),
        administrator(wrong, wait_seconds=60),
    ):
        pass
