"""Which clock decides what: the database's about orders and keys, a process's about tokens."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import aiohttp
import pytest

from local_system.failures import LocalSystemError
from tests.apis import Answer, Api, token
from tests.builders import a_customer, a_product, an_order, lines, stock_of, unique
from tests.database_servers import TestDatabase
from tests.integration import shifted_clocks
from tests.integration.order_calls import a_confirmed_order, cancel, confirm, create, refusal
from tests.integration.order_facts import confirmed_ago
from tests.integration.replays import check_first, check_replay
from tests.integration.service_processes import Processes, services
from tests.integration.shifted_clocks import Clock

HOUR = 3600
HALF_AN_HOUR = 1800
WINDOW = timedelta(minutes=10)
ATTEMPTS = 50
"""So often a machine may be too slow for the last tenth of a second."""


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Clock:
    folder = tmp_path_factory.mktemp("clock")
    try:
        library = shifted_clocks.find_or_install(folder / "apt.log")
    except LocalSystemError as failure:
        pytest.skip(str(failure))
    clock = Clock(library, folder / "ahead")
    clock.set_ahead(0)
    return clock


@pytest.fixture(scope="module")
def processes(
    database: TestDatabase, clock: Clock, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Processes]:
    folder = tmp_path_factory.mktemp("services")
    with services(database, orders=1, folder=folder, surroundings=clock.variables) as running:
        yield running


@pytest.fixture(params=[0, HOUR, -HOUR], ids=["right", "an hour ahead", "an hour behind"])
def ahead(request: pytest.FixtureRequest, clock: Clock) -> Iterator[int]:
    """Set the processes' clock while they run; a right one for control."""
    clock.set_ahead(request.param)
    yield request.param
    clock.set_ahead(0)


@pytest.fixture
def lasting(ahead: int) -> str:
    """A token for whatever clock."""
    return token(exp=int(time.time()) + 24 * HOUR)


@pytest.fixture
def customers(processes: Processes, session: aiohttp.ClientSession, lasting: str) -> Api:
    return Api(session, processes.customers, lasting)


@pytest.fixture
def orders(processes: Processes, session: aiohttp.ClientSession, lasting: str) -> Api:
    return Api(session, processes.orders[0], lasting)


def now(database: TestDatabase) -> datetime:
    """Return the moment by the database's clock."""
    ((moment,),) = database.query("SELECT UTC_TIMESTAMP(3)")
    assert isinstance(moment, datetime)
    return moment


def moment_of(order: dict[str, str], name: str) -> datetime:
    return datetime.fromisoformat(order[name]).replace(tzinfo=None)


async def test_the_moments_of_an_order_are_those_of_the_database(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    before = now(database)

    order = await an_order(orders, customer, (product, 1))
    confirmed = (await confirm(orders, order)).json
    canceled = (await cancel(orders, order)).json

    moments = [moment_of(canceled, name) for name in ("created_at", "confirmed_at", "canceled_at")]
    assert moments == sorted(moments)
    assert before <= moments[0] <= moments[-1] <= now(database)
    assert confirmed["confirmed_at"] == canceled["confirmed_at"]


async def test_a_confirmed_order_can_be_canceled_after_9_minutes_and_59_9_seconds(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    customer, product = await a_customer(customers), await a_product(orders, stock=ATTEMPTS)
    for _ in range(ATTEMPTS):
        order = await a_confirmed_order(orders, customer, (product, 1))
        confirmed_ago(database, order, 599.9)
        answer = await cancel(orders, order)
        if answer.status == 200:
            break
        # Refused, because the machine took more than the tenth of a second that was left.
        assert refusal(answer) == (409, "CANCEL_WINDOW_CLOSED")
        stored = (await orders.get(f"/orders/{order['id']}")).json
        assert now(database) - moment_of(stored, "confirmed_at") > WINDOW

    assert answer.status == 200
    passed = moment_of(answer.json, "canceled_at") - moment_of(answer.json, "confirmed_at")
    assert timedelta(seconds=599.9) <= passed <= WINDOW


async def test_a_confirmed_order_stands_after_10_minutes_and_a_tenth_of_a_second(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    product = await a_product(orders, stock=10)
    order = await a_confirmed_order(orders, await a_customer(customers), (product, 4))
    confirmed_ago(database, order, 600.1)

    assert refusal(await cancel(orders, order)) == (409, "CANCEL_WINDOW_CLOSED")
    assert await stock_of(orders, product) == 6


async def test_a_key_replays_to_the_last_tenth_of_its_second_and_no_longer(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    key = unique("key")
    items = lines((product, 1))

    async def ask() -> Answer:
        return await create(orders, customer["id"], items, X_Idempotency_Key=key)

    first = await ask()
    check_first(first)
    for _ in range(ATTEMPTS):
        expire_in(database, key, 0.1)
        answer = await ask()
        if answer.body == first.body:
            break
        check_first(answer)  # the machine took longer: the key was free again
        first = answer
    check_replay(answer, first)

    expire_in(database, key, 0)
    another = await ask()
    check_first(another)
    assert another.json["id"] > first.json["id"]


def expire_in(database: TestDatabase, key: str, seconds: float) -> None:
    """Let a key have so much time left, by the database's clock."""
    database.query(
        "UPDATE idempotency_keys SET expires_at = UTC_TIMESTAMP(3) + INTERVAL %s MICROSECOND"
        " WHERE `key` = %s",
        round(seconds * 1_000_000),
        key.encode(),
    )


async def test_a_token_ends_by_the_clock_of_the_process_that_reads_it(
    orders: Api, customers: Api, ahead: int
) -> None:
    for api in (orders, customers):
        path = "/products" if api is orders else "/customers"
        for left in (HALF_AN_HOUR, -HALF_AN_HOUR):
            there = api.called_with(token(exp=int(time.time()) + left))
            answer = await there.get(path)
            assert answer.status == (200 if left > ahead else 401), (path, left)


async def test_a_known_token_ends_when_the_clock_is_set_past_its_end(
    orders: Api, clock: Clock, ahead: int
) -> None:
    there = orders.called_with(token(exp=int(time.time()) + ahead + HALF_AN_HOUR))
    assert (await there.get("/products")).status == 200

    clock.set_ahead(ahead + HOUR)

    assert refusal(await there.get("/products")) == (401, "UNAUTHORIZED")
