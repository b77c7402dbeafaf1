"""What is run again, what is given up, and what is a defect."""

import asyncio
import time
from typing import Any

import pytest
from pymysql import err as mysql

from service_kit import database as kit
from service_kit import database_driver as driver
from service_kit.database import Database
from service_kit.database_connections import Connection
from service_kit.problems import Busy
from service_kit.retrying import Backoff
from tests.integration.locks import holding
from tests.integration.pools import (
    Counters,
    OpenPool,
    Watcher,
    add_one,
    id_of,
)
from tests.waiting import until


def row_held(table: Counters, counter: int) -> Any:
    return holding(table.database, "SELECT id FROM counters WHERE id = %s FOR UPDATE", counter)


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
