"""A backup, and the database that it makes where there was none."""

import asyncio
import gzip
import os
import secrets
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pymysql
import pytest
from tornado.ioloop import IOLoop

import db.connection
import db.restore
from db.backup import backup
from db.connection import DatabaseError, administrator, exclusive, kept_alive
from db.doctor.__main__ import examine
from db.doctor.facts import FACTS
from db.restore import restore
from db.seed import seed
from local_system.database import DatabaseServer
from tests import database_servers
from tests.apis import Answer, Api
from tests.builders import a_customer, a_product, an_order, lines, unique
from tests.database_servers import TestDatabase
from tests.integration import client_programs, restless
from tests.integration.order_calls import cancel, confirm, create
from tests.integration.replays import check_replay
from tests.integration.schema_facts import TABLES, facts_of

ROOT = Path(__file__).resolve().parents[2]

ODD = "Ñandú \\ 'quoted' \"Ω\" 漢字 🚲"
ODD_KEY = "\\ '\" % ; --"

Start = Callable[..., Api]


class Services:
    """Both services on one database, and what a client does with them."""

    def __init__(self, customers: Api, orders: Api) -> None:
        self.customers = customers
        self.orders = orders

    async def take_an_odd_order(self, key: str) -> Answer:
        customer = await a_customer(self.customers, name=ODD)
        product = await a_product(self.orders, name=ODD, stock=10)
        self.request = (customer["id"], lines((product, 3)))
        answer = await self.repeat(self, key)
        await confirm(self.orders, answer.json)
        await cancel(self.orders, await an_order(self.orders, customer, (product, 1)))
        return answer

    async def repeat(self, first: "Services", key: str) -> Answer:
        return await create(self.orders, *first.request, X_Idempotency_Key=key)

    async def take_orders_until(self, done: asyncio.Event) -> int:
        """Take, confirm and cancel orders all the time; return how many."""
        customer = await a_customer(self.customers)
        products = [await a_product(self.orders, stock=1_000_000) for _ in range(2)]
        number = 0
        while not done.is_set():
            number += 1
            order = await an_order(
                self.orders,
                customer,
                *((product, number % 7 + 1) for product in products),
                X_Idempotency_Key=unique("key"),
            )
            await confirm(self.orders, order)
            if number % 3 == 0:
                await cancel(self.orders, order, X_Idempotency_Key=unique("key"))
        return number


@pytest.fixture
def source(database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestDatabase:
    """Return a database of the test's own with the example data, and provide the programs."""
    client_programs.provide(database, tmp_path, monkeypatch)
    admin = database.admin
    server = DatabaseServer(admin.host, admin.port, admin.admin_user, admin.admin_password)
    made = database_servers.create_database(server)
    seed(made.admin)
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "nightly.sql.gz"


@pytest.fixture
def services(start_customers: Start, start_orders: Start) -> Callable[[TestDatabase], Services]:
    def start(database: TestDatabase) -> Services:
        customers = start_customers(**database.customers_variables())
        return Services(customers, start_orders(customers.base_url, **database.orders_variables()))

    return start


def elsewhere(source: TestDatabase) -> TestDatabase:
    """Return a database that is not there yet, with accounts of its own."""
    mark = secrets.token_hex(4)
    admin = replace(source.admin, database=f"restored_{mark}", account_suffix=f"_{mark}")
    return TestDatabase(admin)


def every_row(database: TestDatabase, table: str) -> list[tuple[object, ...]]:
    return database.query(f"SELECT * FROM {table}")


def contents(database: TestDatabase) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table, and what the server says of the schema."""
    rows = {table: sorted(every_row(database, table), key=repr) for table in TABLES}
    made = {about: facts_of(database, about) for about in FACTS}
    return rows | made


def test_what_is_restored_is_what_was_there_and_works(
    io_loop: IOLoop,
    source: TestDatabase,
    services: Callable[[TestDatabase], Services],
    file: Path,
) -> None:
    first = services(source)
    key = unique("key") + ODD_KEY
    taken = io_loop.run_sync(lambda: first.take_an_odd_order(key))
    before = contents(source)

    size = backup(source.admin, file)
    restored = elsewhere(source)
    restore(restored.admin, file)

    assert contents(restored) == before
    assert all(before.values())
    assert examine(restored.admin) == []
    assert size == file.stat().st_size
    # The services work on it, and what was done is known to have been done.
    second = services(restored)
    check_replay(io_loop.run_sync(lambda: second.repeat(first, key)), taken)
    more = io_loop.run_sync(lambda: second.take_an_odd_order(unique("key")))
    assert more.json["id"] > taken.json["id"]
    assert examine(restored.admin) == []


def test_a_backup_of_a_busy_database_is_of_one_moment(
    io_loop: IOLoop,
    source: TestDatabase,
    services: Callable[[TestDatabase], Services],
    file: Path,
) -> None:
    busy = services(source)

    async def back_up_meanwhile() -> int:
        done = asyncio.Event()
        orders = asyncio.create_task(busy.take_orders_until(done))
        for number in range(3):
            await asyncio.to_thread(backup, source.admin, file.with_name(f"{number}.sql.gz"))
        done.set()
        return await orders

    assert io_loop.run_sync(back_up_meanwhile) > 3

    for number in range(3):
        restored = elsewhere(source)
        restore(restored.admin, file.with_name(f"{number}.sql.gz"))
        assert examine(restored.admin) == []


def test_a_database_with_rows_is_left_alone_unless_it_is_to_be_replaced(
    source: TestDatabase, file: Path
) -> None:
    backup(source.admin, file)
    then = contents(source)
    source.query("UPDATE products SET stock = 77 WHERE id = 9")

    with pytest.raises(DatabaseError, match="has rows"):
        restore(source.admin, file)
    assert source.query("SELECT stock FROM products WHERE id = 9") == [(77,)]

    restore(source.admin, file, replace=True)
    assert contents(source) == then


def test_a_migrated_database_without_rows_is_as_good_as_none(
    source: TestDatabase, file: Path
) -> None:
    backup(source.admin, file)
    admin = source.admin
    empty = database_servers.create_database(
        DatabaseServer(admin.host, admin.port, admin.admin_user, admin.admin_password)
    )

    restore(empty.admin, file)

    assert contents(empty) == contents(source)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda whole: whole[: len(whole) // 2], id="half of it"),
        pytest.param(lambda whole: whole[:-1], id="all but a byte"),
        pytest.param(lambda whole: whole[:900] + b"\0" + whole[901:], id="another byte"),
        pytest.param(lambda _: b"", id="nothing"),
        pytest.param(lambda _: b"SELECT 1;", id="not compressed"),
        pytest.param(lambda _: gzip.compress(b"SELECT 1;\n"), id="no dump"),
        pytest.param(
            lambda whole: gzip.compress(gzip.decompress(whole)[:5000]), id="a dump cut off"
        ),
    ],
)
def test_a_damaged_backup_is_refused_before_anything_is_lost(
    source: TestDatabase, file: Path, damage: Callable[[bytes], bytes]
) -> None:
    backup(source.admin, file)
    file.write_bytes(damage(file.read_bytes()))

    with pytest.raises(DatabaseError, match="no whole backup"):
        restore(source.admin, file, replace=True)

    assert examine(source.admin) == []
    assert source.query("SELECT COUNT(*) FROM orders") == [(5,)]


def test_a_backup_of_the_other_kind_of_server_is_refused(source: TestDatabase, file: Path) -> None:
    backup(source.admin, file)
    dump = gzip.decompress(file.read_bytes())
    version = next(line for line in dump.splitlines() if line.startswith(b"-- Server version"))
    other = b"-- Server version\t9.7.0" if b"MariaDB" in version else version + b"-MariaDB"
    file.write_bytes(gzip.compress(dump.replace(version, other, 1)))

    with pytest.raises(DatabaseError, match="other kind of server"):
        restore(source.admin, file, replace=True)

    assert source.query("SELECT COUNT(*) FROM orders") == [(5,)]


def test_a_load_that_fails_says_why_and_leaves_what_was_there(
    source: TestDatabase, file: Path
) -> None:
    backup(source.admin, file)
    dump = gzip.decompress(file.read_bytes())
    file.write_bytes(gzip.compress(dump.replace(b"CREATE TABLE `orders`", b"CREATE TABEL `o`", 1)))
    before = contents(source)

    with pytest.raises(DatabaseError, match=r"(?s)nothing was changed.*TABEL"):
        restore(source.admin, file, replace=True)

    assert contents(source) == before
    assert databases(source) == {source.admin.database}


def databases(beside: TestDatabase) -> set[str]:
    """Return the database and those whose names begin with its name."""
    pattern = beside.admin.database.replace("_", r"\_") + "%"
    return {str(name) for (name,) in beside.query("SHOW DATABASES LIKE %s", pattern)}


def test_services_at_work_meet_the_old_data_or_the_new_and_nothing_between(
    source: TestDatabase, file: Path
) -> None:
    backup(source.admin, file)
    source.query("UPDATE products SET stock = 77 WHERE id = 9")

    with restless.at_work(source) as service:
        service.wait_for(77)
        restore(source.admin, file, replace=True)
        service.wait_for(600)

    assert service.failures == []
    assert service.seen == {(77, 5, 9), (600, 5, 9)}
    # The last row before the exchange may have been meant for the old data; no other can.
    ((of_old,),) = source.query("SELECT COUNT(*) FROM products WHERE name = 'after 77'")
    assert int(str(of_old)) <= 1
    assert databases(source) == {source.admin.database}
    with pytest.raises(pymysql.err.IntegrityError):
        source.query("INSERT INTO orders (customer_id, total_cents) VALUES (999999, 0)")


def test_an_exchange_that_a_long_transaction_holds_up_leaves_what_was_there(
    source: TestDatabase, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(source.admin, file)
    source.query("UPDATE products SET stock = 77 WHERE id = 9")
    before = contents(source)
    monkeypatch.setattr(db.restore, "_RENAME_SECONDS", 1)

    with source.connect() as connection, connection.cursor() as cursor:
        connection.begin()
        cursor.execute("SELECT COUNT(*) FROM orders")
        with pytest.raises(DatabaseError, match=r"nothing was changed.*(?i:lock wait)"):
            restore(source.admin, file, replace=True)

    assert contents(source) == before


def test_rows_that_come_during_the_load_are_kept_aside(
    source: TestDatabase, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(source.admin, file)
    admin = source.admin
    empty = database_servers.create_database(
        DatabaseServer(admin.host, admin.port, admin.admin_user, admin.admin_password)
    )
    load = db.restore._load

    def load_while_a_customer_comes(*arguments: Any) -> None:
        empty.query(
            "INSERT INTO customers (name, email, search_text) VALUES ('A', 'a@b.example', '')"
        )
        load(*arguments)

    monkeypatch.setattr(db.restore, "_load", load_while_a_customer_comes)
    kept = f"{empty.admin.database}_replaced"
    with pytest.raises(DatabaseError, match=f"they are in {kept}"):
        restore(empty.admin, file)

    assert contents(empty) == contents(source)
    assert empty.query(f"SELECT name FROM {kept}.customers") == [("A",)]


def test_a_backup_whose_lock_was_lost_is_none(
    source: TestDatabase, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = client_programs.provide_one_that_waits(tmp_path, monkeypatch)
    lock = f"set-up:{source.admin.database}"

    with ThreadPoolExecutor() as pool:
        result = pool.submit(backup, source.admin, file)
        held.wait()
        ((holder,),) = source.query("SELECT IS_USED_LOCK(%s)", lock)
        source.query(f"KILL {holder}")
        held.release()

    with pytest.raises(DatabaseError, match="was lost: try again"):
        result.result()
    assert list(file.parent.glob("*sql.gz*")) == []


def test_the_lock_is_kept_through_a_block_longer_than_a_connection_may_idle(
    source: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db.connection, "_PING_SECONDS", 0.1)
    database = source.admin.database

    with administrator(source.admin, 1) as connection, exclusive(connection, database):
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION wait_timeout = 1")
        with kept_alive(connection, database):
            time.sleep(2)  # the time itself is what is tried


@pytest.mark.parametrize(
    ("verb", "number"),
    [("backup", signal.SIGTERM), ("backup", signal.SIGINT), ("restore", signal.SIGTERM)],
)
def test_whoever_is_told_to_end_leaves_no_password_and_no_partial_file(
    source: TestDatabase,
    file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    verb: str,
    number: signal.Signals,
) -> None:
    given = file if verb == "backup" else file.with_name("whole.sql.gz")
    if verb == "restore":
        backup(source.admin, given)
    held = client_programs.provide_one_that_waits(tmp_path, monkeypatch)
    secrets_folder = tmp_path / "temporary"
    secrets_folder.mkdir()
    options = ["--replace"] if verb == "restore" else []
    process = subprocess.Popen(
        [sys.executable, "-m", f"db.{verb}", *options, str(given)],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "TMPDIR": str(secrets_folder),
            **source.set_up_variables(),
        },
        stdin=subprocess.DEVNULL,
    )
    with process:
        held.wait()
        assert list(secrets_folder.rglob("options.cnf")), "the password is elsewhere"
        process.send_signal(number)

    assert process.returncode == 128 + number
    assert list(secrets_folder.iterdir()) == []
    assert list(file.parent.glob("*nightly*")) == []
    assert databases(source) == {source.admin.database}
    assert examine(source.admin) == []


def test_a_backup_is_its_owners_alone_and_replaces_no_other(
    source: TestDatabase, file: Path
) -> None:
    backup(source.admin, file)
    first = file.read_bytes()

    with pytest.raises(DatabaseError, match="is there already"):
        backup(source.admin, file)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_bytes() == first
    assert list(file.parent.glob(".*sql.gz*")) == [], "something unfinished was left"


def test_a_dump_that_fails_leaves_no_file(source: TestDatabase, file: Path) -> None:
    with pytest.raises(DatabaseError, match="dump failed"):
        backup(elsewhere(source).admin, file)

    assert list(file.parent.glob("*sql.gz*")) == []


def test_without_the_programs_the_remedy_is_named(
    source: TestDatabase, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(DatabaseError, match="install"):
        backup(source.admin, file)
