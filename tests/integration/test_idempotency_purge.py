"""The table of idempotency keys: what it tells apart, and how it gets rid of expired ones."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from tornado.ioloop import IOLoop

from orders_api import idempotency
from orders_api.idempotency import Attempt, IdempotencyKeys, Request, Response
from orders_api.settings import load
from service_kit.database import Database
from service_kit.database_attempts import Work
from service_kit.database_connections import Connection
from service_kit.metrics import Metrics
from service_kit.problems import Busy
from tests.apis import JWT_VARIABLES, SERVICE_TOKEN, Api
from tests.builders import unique
from tests.database_servers import TestDatabase
from tests.integration.locks import holding
from tests.waiting import until


@pytest.fixture
def keys_of_two_processes(
    io_loop: IOLoop, database: TestDatabase
) -> Iterator[tuple[IdempotencyKeys, IdempotencyKeys]]:
    settings = load(
        {
            **JWT_VARIABLES,
            "SERVICE_TOKEN": SERVICE_TOKEN,
            "CUSTOMERS_API_BASE": "http://127.0.0.1:1",
            **database.orders_variables(),
        }
    )
    pools = [Database(settings.database, Metrics()) for _ in range(2)]
    one, other = (IdempotencyKeys(pool, 3600, lambda: None) for pool in pools)
    yield one, other
    for pool in pools:
        io_loop.run_sync(pool.close)


@pytest.fixture
def keys(keys_of_two_processes: tuple[IdempotencyKeys, IdempotencyKeys]) -> IdempotencyKeys:
    return keys_of_two_processes[0]


def write_keys(database: TestDatabase, mark: str, number: int, seconds: int) -> None:
    """Write keys that expire so many seconds from now."""
    with database.connect() as connection, connection.cursor() as cursor:
        connection.begin()
        for count in range(number):
            cursor.execute(
                "INSERT INTO idempotency_keys (`key`, target_type, target_id, fingerprint, status,"
                " response_body, expires_at) VALUES (%s, 'order.create', 1, REPEAT('x', 32), 201,"
                " '{}', UTC_TIMESTAMP(3) + INTERVAL %s SECOND)",
                (f"{mark}-{count}".encode(), seconds),
            )
        connection.commit()


def left(database: TestDatabase, mark: str) -> int:
    """Return how many of the keys are there."""
    ((number,),) = database.query(
        "SELECT COUNT(*) FROM idempotency_keys WHERE `key` LIKE %s", f"{mark}-%"
    )
    return int(str(number))


async def purge_all(keys: IdempotencyKeys) -> list[int]:
    """Purge until nothing is left; return the size of each batch."""
    batches = [await keys.purge()]
    while batches[-1]:
        batches.append(await keys.purge())
    return batches


async def test_keys_that_differ_in_trailing_blanks_are_told_apart(keys: IdempotencyKeys) -> None:
    async def act(attempt: Attempt) -> Response:
        async def work(connection: Connection) -> Response:
            attempt.look_up(connection)
            await connection.fetch_one("SELECT 1")
            attempt.check_first()
            response = Response(201, b"{}")
            attempt.record(connection, 1, response)
            return response

        return await keys._database.transaction(work)

    key = unique("key").encode()
    for spelling in (key, key + b" ", key + b"  ", b" " + key):
        request = Request(spelling, "order.create", None, {})
        assert not (await keys.once(request, act)).is_replay
        assert (await keys.once(request, act)).is_replay


async def test_the_purge_deletes_expired_keys_alone_in_batches(
    keys: IdempotencyKeys, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "PURGE_BATCH", 40)
    await purge_all(keys)
    expired, living = unique("expired"), unique("living")
    write_keys(database, expired, 100, seconds=0)
    write_keys(database, living, 50, seconds=5)

    assert await purge_all(keys) == [40, 40, 20, 0]
    assert left(database, expired) == 0
    assert left(database, living) == 50


async def test_two_that_purge_at_once_share_the_work(
    keys_of_two_processes: tuple[IdempotencyKeys, IdempotencyKeys],
    database: TestDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(idempotency, "PURGE_BATCH", 20)
    await purge_all(keys_of_two_processes[0])
    expired, living = unique("expired"), unique("living")
    write_keys(database, expired, 300, seconds=0)
    write_keys(database, living, 20, seconds=60)

    batches = await asyncio.gather(*(purge_all(keys) for keys in keys_of_two_processes))
    await purge_all(keys_of_two_processes[0])

    # What one of them is busy with, the other passes over.
    assert sum(map(sum, batches)) == 300
    assert left(database, expired) == 0
    assert left(database, living) == 20


async def test_the_purge_passes_over_a_key_that_somebody_is_busy_with(
    keys: IdempotencyKeys, database: TestDatabase
) -> None:
    await purge_all(keys)
    mark = unique("busy")
    write_keys(database, mark, 3, seconds=0)
    hold = "SELECT 1 FROM idempotency_keys WHERE `key` = %s FOR UPDATE"

    with holding(database, hold, f"{mark}-1".encode()):
        async with asyncio.timeout(2):
            assert await keys.purge() == 2
    assert left(database, mark) == 1
    assert await keys.purge() == 1


async def test_a_new_key_is_not_held_up_by_a_purge_under_way(
    keys: IdempotencyKeys, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = unique("gap")
    write_keys(database, mark, 20, seconds=0)
    deleted, may_commit = asyncio.Event(), asyncio.Event()

    async def stopped_before_commit(work: Work[int]) -> int:
        async def work_and_wait(connection: Connection) -> int:
            number = await work(connection)
            deleted.set()
            await may_commit.wait()
            return number

        return await Database.transaction(keys._database, work_and_wait)

    monkeypatch.setattr(keys._database, "transaction", stopped_before_commit)
    purge = asyncio.create_task(keys.purge())
    await deleted.wait()
    try:
        # Right between two keys that are being deleted.
        async with asyncio.timeout(2):
            await asyncio.to_thread(write_keys, database, f"{mark}-5", 1, 60)
    finally:
        may_commit.set()
    assert await purge >= 20
    assert left(database, mark) == 1


@pytest.fixture
def mark_of_expired(database: TestDatabase) -> str:
    mark = unique("expired")
    write_keys(database, mark, 700, seconds=0)
    return mark


@pytest.fixture
def two_services(mark_of_expired: str, start_orders: Callable[..., Api]) -> list[Api]:
    return [start_orders("http://127.0.0.1:1") for _ in range(2)]


async def test_services_purge_as_soon_as_they_run(
    mark_of_expired: str, two_services: list[Api], database: TestDatabase
) -> None:
    await until(lambda: left(database, mark_of_expired) == 0, "the expired keys to go")

    assert [(await api.get("/health")).status for api in two_services] == [200, 200]


async def test_a_purge_that_fails_is_tried_again(
    keys: IdempotencyKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes: list[Exception | int] = [Busy(), RuntimeError("nobody thought of this"), 0]
    calls = 0

    async def purge() -> int:
        nonlocal calls
        outcome = outcomes[min(calls, 2)]
        calls += 1
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(keys, "purge", purge)
    task = asyncio.create_task(keys.purge_for_ever(0.001))

    await until(lambda: calls > 3, "the purge to go on")

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
