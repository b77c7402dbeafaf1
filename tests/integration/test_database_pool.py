"""The pool: nothing leaks, waiting is bounded, and what may be repeated is."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from pymysql import err as mysql
from tornado.ioloop import IOLoop

from service_kit import database as kit
from service_kit import database_driver as driver
from service_kit.database import Database
from service_kit.database_answers import Answer, Result
from service_kit.database_connections import Connection
from service_kit.database_errors import Duplicate, MissingReference
from service_kit.problems import Busy
from service_kit.retrying import Backoff
from tests.integration.locks import holding
from tests.integration.pools import (
    Counters,
    OpenPool,
    Watcher,
    add_one,
    id_of,
    ids_of_all,
    uvloop_as_io_loop,
)
from tests.waiting import until


@pytest.fixture
def io_loop() -> Iterator[IOLoop]:
    """Run the tests on the loop that services run on."""
    with uvloop_as_io_loop() as loop:
        yield loop


@pytest.fixture
def open_pool(io_loop: IOLoop, table: Counters, watcher: Watcher) -> Iterator[OpenPool]:
    opened: list[Database] = []

    def start(size: int = 10, port: int | None = None) -> Database:
        opened.append(Database(table.settings(size, port), watcher))
        return opened[-1]

    yield start
    for pool in opened:
        io_loop.run_sync(pool.close)


@pytest.fixture
def pool(open_pool: OpenPool) -> Database:
    return open_pool()


@pytest.fixture
def pool_of_one(open_pool: OpenPool) -> Database:
    return open_pool(size=1)


async def cancel(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def row_held(table: Counters, counter: int) -> Any:
    return holding(table.database, "SELECT id FROM counters WHERE id = %s FOR UPDATE", counter)


async def test_a_transaction_is_committed_as_a_whole(pool: Database, table: Counters) -> None:
    one, other = table.add(), table.add()

    async def work(connection: Connection) -> str:
        await add_one(connection, one)
        assert table.value(one) == 0
        await add_one(connection, other)
        return "done"

    assert await pool.transaction(work) == "done"
    assert (table.value(one), table.value(other)) == (1, 1)


async def test_a_transaction_that_raises_is_undone_as_a_whole(
    pool_of_one: Database, table: Counters, counter: int, watcher: Watcher
) -> None:
    async def work(connection: Connection) -> None:
        await add_one(connection, counter)
        raise LookupError

    before = await pool_of_one.read(id_of)
    with pytest.raises(LookupError):
        await pool_of_one.transaction(work)

    assert table.value(counter) == 0
    assert not table.is_locked(counter)
    assert await pool_of_one.read(id_of) == before
    assert (watcher.repeats, watcher.in_use) == ([], 0)


async def test_single_statements_are_transactions_of_their_own(
    pool_of_one: Database, table: Counters, counter: int
) -> None:
    async def work(connection: Connection) -> None:
        await add_one(connection, counter)
        assert table.value(counter) == 1
        assert not table.is_locked(counter)

    await pool_of_one.read(work)


async def test_connections_are_of_the_kind_that_the_services_count_on(pool: Database) -> None:
    async def isolation(connection: Connection) -> str:
        variables: dict[str, str] = dict(await connection.fetch_all("SHOW VARIABLES"))
        # The first name is MySQL's, the second that of MariaDB before 11.1.
        return str(variables.get("transaction_isolation") or variables["tx_isolation"])

    assert await pool.read(isolation) == "READ-COMMITTED"

    async def settings(connection: Connection) -> tuple[Any, ...] | None:
        return await connection.fetch_one(
            "SELECT @@SESSION.innodb_lock_wait_timeout, @@SESSION.time_zone, @@autocommit,"
            " @@SESSION.sql_mode LIKE '%%STRICT_ALL_TABLES%%', @@character_set_connection"
        )

    assert await pool.read(settings) == (5, "+00:00", 1, 1, "utf8mb4")


async def test_a_statement_tells_which_rows_it_matched_even_if_none_changes(
    pool: Database, counter: int
) -> None:
    async def work(connection: Connection) -> list[tuple[int, int]]:
        statement = "UPDATE counters SET value = 7 WHERE id = %s"
        return [await connection.execute(statement, counter) for _ in range(2)]

    assert [matched for matched, _ in await pool.transaction(work)] == [1, 1]


async def test_constraints_that_refuse_are_told_by_name(
    open_pool: OpenPool, table: Counters, counter: int
) -> None:
    table.database.query(
        "CREATE TABLE IF NOT EXISTS parts (counter BIGINT,"
        " CONSTRAINT part_of FOREIGN KEY (counter) REFERENCES counters (id)) ENGINE = InnoDB"
    )
    pool = open_pool()

    with pytest.raises(Duplicate, match="PRIMARY"):
        await pool.transaction(
            lambda connection: connection.execute("INSERT INTO counters VALUES (%s, 1)", counter)
        )
    with pytest.raises(MissingReference, match="part_of"):
        await pool.transaction(
            lambda connection: connection.execute("INSERT INTO parts VALUES (-1)")
        )


async def test_a_key_that_is_taken_is_told_by_its_name_whatever_the_entry_holds(
    pool: Database, table: Counters
) -> None:
    table.database.query(
        "CREATE TABLE IF NOT EXISTS labels (label VARCHAR(50), UNIQUE KEY labels_label (label))"
        " ENGINE = InnoDB"
    )
    label = "o'hara' for key 'another"

    async def work(connection: Connection) -> None:
        for _ in range(2):
            await connection.execute("INSERT INTO labels VALUES (%s)", label)

    with pytest.raises(Duplicate) as raised:
        await pool.transaction(work)

    assert raised.value.key == "labels_label"


@pytest.mark.parametrize("transactional", [True, False])
async def test_answers_that_nobody_could_read_are_read_by_nobody_else(
    pool_of_one: Database, monkeypatch: pytest.MonkeyPatch, *, transactional: bool
) -> None:
    run = pool_of_one.transaction if transactional else pool_of_one.read
    before = await pool_of_one.read(id_of)

    def unreadable(_answer: Answer) -> Result:
        raise ValueError("no moment of any calendar")

    async def work(connection: Connection) -> None:
        monkeypatch.setattr(Answer, "result", unreadable)
        try:
            await connection.run(("SELECT 1",), ("SELECT 2",), ("SELECT 3",))
        finally:
            monkeypatch.undo()

    with pytest.raises(ValueError, match="calendar"):
        await run(work)

    assert await pool_of_one.read(id_of) not in {before, 1, 2, 3}


async def test_a_connection_is_used_again(pool: Database) -> None:
    assert len({await pool.read(id_of) for _ in range(10)}) == 1


async def test_no_more_connections_are_open_than_the_pool_may_have(
    open_pool: OpenPool, watcher: Watcher
) -> None:
    pool = open_pool(size=3)

    async def work(connection: Connection) -> int:
        await connection.fetch_one("SELECT SLEEP(0.005)")
        return await id_of(connection)

    ids = await asyncio.gather(*(pool.read(work) for _ in range(30)))

    assert len(set(ids)) == 3
    assert (watcher.most_in_use, watcher.in_use) == (3, 0)


async def test_a_pool_that_is_closed_leaves_no_connection(pool: Database, table: Counters) -> None:
    ids = await ids_of_all(pool, 3)

    await pool.close()

    await until(lambda: not any(map(table.is_connected, ids)), "the server lets them go")


async def test_a_holder_that_is_cancelled_leaves_no_lock_and_no_change(
    pool_of_one: Database, table: Counters, counter: int, watcher: Watcher
) -> None:
    holds = asyncio.Event()

    async def hold(connection: Connection) -> None:
        await add_one(connection, counter)
        holds.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(pool_of_one.transaction(hold))
    await holds.wait()
    assert table.is_locked(counter)
    await cancel(task)

    await pool_of_one.transaction(lambda connection: add_one(connection, counter))
    assert table.value(counter) == 1
    assert watcher.in_use == 0


async def test_a_holder_that_is_cancelled_in_a_query_keeps_nobody_waiting(
    pool_of_one: Database, watcher: Watcher
) -> None:
    before = await pool_of_one.read(id_of)
    task = asyncio.create_task(
        pool_of_one.read(lambda connection: connection.fetch_one("SELECT SLEEP(3)"))
    )
    await until(lambda: watcher.in_use == 1, "the query runs")
    await asyncio.sleep(0)
    await cancel(task)

    started = time.monotonic()
    after = await pool_of_one.read(id_of)

    assert after != before
    assert time.monotonic() - started < 2
    assert watcher.in_use == 0


async def test_one_that_is_cancelled_while_it_waits_is_not_counted_as_waiting(
    pool_of_one: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit, "MOST_WAITING", 1)
    release = asyncio.Event()
    holder = asyncio.create_task(pool_of_one.read(lambda _connection: release.wait()))
    await asyncio.sleep(0)
    for _ in range(3):
        waiting = asyncio.create_task(pool_of_one.read(id_of))
        await asyncio.sleep(0)
        await cancel(waiting)

    waiting = asyncio.create_task(pool_of_one.read(id_of))
    await asyncio.sleep(0)
    release.set()

    assert await waiting
    await holder


async def test_who_finds_all_connections_in_use_waits_no_longer_than_it_may(
    open_pool: OpenPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit, "ACQUIRE_SECONDS", 0.05)
    pool = open_pool(size=2)
    release = asyncio.Event()
    holders = [asyncio.create_task(pool.read(lambda _c: release.wait())) for _ in range(2)]
    await asyncio.sleep(0)

    with pytest.raises(Busy, match="No database connection became free in time"):
        await pool.read(id_of)

    release.set()
    await asyncio.gather(*holders)
    assert await pool.read(id_of)


async def test_who_needs_several_connections_one_after_another_has_one_patience_for_all(
    pool_of_one: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit, "ACQUIRE_SECONDS", 0.5)
    release = asyncio.Event()
    holder = asyncio.create_task(pool_of_one.read(lambda _connection: release.wait()))
    await asyncio.sleep(0)
    started = time.monotonic()

    with kit.one_patience():
        for _ in range(3):
            with pytest.raises(kit.NoConnectionFree):
                await pool_of_one.read(id_of)

    assert time.monotonic() - started < 0.9
    release.set()
    await holder


async def test_when_too_many_wait_the_next_is_refused_at_once(
    pool_of_one: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit, "MOST_WAITING", 2)
    release = asyncio.Event()
    holder = asyncio.create_task(pool_of_one.read(lambda _connection: release.wait()))
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(pool_of_one.read(id_of)) for _ in range(2)]
    await asyncio.sleep(0)

    started = time.monotonic()
    with pytest.raises(Busy, match="Too many"):
        await pool_of_one.read(id_of)

    assert time.monotonic() - started < 1
    release.set()
    assert len(await asyncio.gather(holder, *waiting)) == 3


async def test_idle_connections_that_were_killed_are_replaced_unseen(
    pool: Database, table: Counters, watcher: Watcher
) -> None:
    ids = await ids_of_all(pool, 5)
    for number in ids:
        table.kill(number)
    await until(
        lambda: not any(raw.is_usable for raw in pool._idle), "the pool sees that they are dead"
    )

    fresh = await ids_of_all(pool, 5)

    assert not set(ids) & set(fresh)
    assert watcher.repeats == []


async def test_idle_connections_that_died_in_this_very_moment_are_replaced_unseen(
    pool: Database, table: Counters
) -> None:
    ids = await ids_of_all(pool, 5)
    # Nothing is awaited from here on: the pool cannot have seen it yet.
    for number in ids:
        table.kill(number)

    fresh = await asyncio.gather(*(pool.read(id_of) for _ in range(5)))

    assert not set(ids) & set(fresh)


async def test_however_many_connections_died_one_caller_does_not_try_them_all(
    open_pool: OpenPool, table: Counters, watcher: Watcher
) -> None:
    pool = open_pool(size=20)
    for number in await ids_of_all(pool, 20):
        table.kill(number)

    assert await pool.read(id_of)

    assert watcher.repeats == ["lost_connection"]


async def test_a_transaction_whose_connection_is_killed_is_run_again(
    pool: Database, table: Counters, counter: int, watcher: Watcher
) -> None:
    used: list[int] = []

    async def work(connection: Connection) -> None:
        used.append(await id_of(connection))
        await add_one(connection, counter)
        if len(used) == 1:
            table.kill(used[0])
        await add_one(connection, counter)

    await pool.transaction(work)

    assert table.value(counter) == 2
    assert len(set(used)) == 2
    assert (watcher.repeats, watcher.in_use) == (["lost_connection"], 0)


@pytest.mark.parametrize("what", ["CONNECTION", "QUERY"])
async def test_a_transaction_that_is_killed_while_it_waits_for_a_lock_is_run_again(
    pool: Database, table: Counters, counter: int, what: str
) -> None:
    used: list[int] = []

    async def work(connection: Connection) -> None:
        used.append(await id_of(connection))
        await add_one(connection, counter)

    with row_held(table, counter) as other:
        task = asyncio.create_task(pool.transaction(work))
        await other.until_waiting()
        table.kill(used[0], what)
        await until(lambda: len(used) == 2, "it is run again")
        other.undo()
        await task

    assert table.value(counter) == 1


async def test_a_deadlock_is_repeated_until_both_are_through(
    pool: Database, table: Counters, watcher: Watcher
) -> None:
    one, other = table.add(), table.add()
    both_hold = {one: asyncio.Event(), other: asyncio.Event()}

    async def work(connection: Connection, first: int, second: int) -> None:
        await add_one(connection, first)
        both_hold[first].set()
        await both_hold[second].wait()
        await add_one(connection, second)

    await asyncio.gather(
        pool.transaction(lambda connection: work(connection, one, other)),
        pool.transaction(lambda connection: work(connection, other, one)),
    )

    assert (table.value(one), table.value(other)) == (2, 2)
    assert watcher.repeats
    assert set(watcher.repeats) == {"conflict"}
    assert watcher.in_use == 0


@pytest.mark.parametrize(
    "number", [1213, 1205, 1020], ids=["deadlock", "lock wait", "snapshot conflict"]
)
async def test_every_kind_of_conflict_is_repeated_from_the_beginning(
    pool: Database, table: Counters, counter: int, watcher: Watcher, number: int
) -> None:
    attempts = 0

    async def work(connection: Connection) -> None:
        nonlocal attempts
        attempts += 1
        await add_one(connection, counter)
        if attempts < 3:
            raise mysql.OperationalError(number, "as the server says it")

    await pool.transaction(work)

    assert (attempts, table.value(counter)) == (3, 1)
    assert watcher.repeats == ["conflict", "conflict"]


async def test_a_conflict_without_end_is_given_up(
    pool: Database, table: Counters, counter: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit, "CONFLICT_BACKOFF", Backoff(0.0, 0.0, attempts=4))
    attempts = 0

    async def work(connection: Connection) -> None:
        nonlocal attempts
        attempts += 1
        await add_one(connection, counter)
        raise mysql.OperationalError(1213, "as the server says it")

    with pytest.raises(Busy):
        await pool.transaction(work)

    assert (attempts, table.value(counter)) == (4, 0)
    assert not table.is_locked(counter)


async def test_a_lock_that_is_not_had_in_time_is_given_up(
    open_pool: OpenPool, table: Counters, counter: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_second = driver._SESSION.replace("lock_wait_timeout = 5", "lock_wait_timeout = 1")
    assert one_second != driver._SESSION
    monkeypatch.setattr(driver, "_SESSION", one_second)
    monkeypatch.setattr(kit, "LOCK_WAIT_SECONDS", 1)
    pool = open_pool()
    before = table.add()

    async def work(connection: Connection) -> None:
        await add_one(connection, before)
        await add_one(connection, counter)

    started = time.monotonic()
    with row_held(table, counter), pytest.raises(Busy):
        await pool.transaction(work)

    assert 0.5 < time.monotonic() - started < 4
    # Error 1205 by itself would undo the last statement alone.
    assert not table.is_locked(before)
    assert table.value(before) == 0
    await pool.transaction(work)
    assert (table.value(before), table.value(counter)) == (1, 1)


@pytest.mark.parametrize("number", [1040, 1290, 1203, 1047, 1021])
async def test_a_server_that_cannot_do_the_work_now_is_busy_and_the_next_time_asked_anew(
    pool: Database, number: int
) -> None:
    before = await pool.read(id_of)

    async def work(_connection: Connection) -> None:
        raise mysql.OperationalError(number, "as the server says it")

    with pytest.raises(Busy) as refusal:
        await pool.transaction(work)

    assert "server" not in refusal.value.detail
    # After a failover the address leads to another server, but old connections do not.
    assert await pool.read(id_of) != before


@pytest.mark.parametrize("number", [1064, 1054, 1146, 1142, 1264])
async def test_a_statement_that_is_wrong_is_a_defect_and_not_repeated(
    pool: Database, watcher: Watcher, number: int
) -> None:
    async def work(_connection: Connection) -> None:
        raise mysql.ProgrammingError(number, "as the server says it")

    with pytest.raises(mysql.ProgrammingError):
        await pool.transaction(work)

    assert (watcher.repeats, watcher.in_use) == ([], 0)


async def test_a_parameter_is_a_value_whatever_is_in_it(pool: Database) -> None:
    async def work(connection: Connection) -> tuple[Any, ...] | None:
        return await connection.fetch_one("SELECT %s, %s, %s", "' OR 1=1 -- \\ %s", None, 2**62)

    assert await pool.read(work) == ("' OR 1=1 -- \\ %s", None, 2**62)
