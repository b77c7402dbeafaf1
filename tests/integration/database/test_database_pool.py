"""The pool: nothing leaks, waiting is bounded, dead connections are replaced."""

import asyncio
import time
from contextlib import suppress
from typing import Any

import pytest

from service_kit import database as kit
from service_kit.database import Database
from service_kit.database_connections import Connection
from service_kit.problems import Busy
from tests.integration.pools import (
    Counters,
    OpenPool,
    Watcher,
    add_one,
    id_of,
    ids_of_all,
)
from tests.waiting import until


async def cancel(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


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
