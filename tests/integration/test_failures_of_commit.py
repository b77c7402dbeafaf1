"""The connection to the database is lost at the worst of moments."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from service_kit import database as service_database
from tests.apis import Answer, Api
from tests.builders import a_customer, a_product, an_order, lines, unique
from tests.database_servers import TestDatabase
from tests.integration.cutting_proxy import Cut, CuttingProxy
from tests.integration.locks import holding_product
from tests.integration.order_calls import a_confirmed_order, cancel, confirm, create, patch, refusal
from tests.integration.order_facts import orders_of, stocks

BUSY = (503, "BUSY")


@pytest.fixture
def proxy(io_loop: IOLoop, database: TestDatabase) -> Iterator[CuttingProxy]:
    proxy = CuttingProxy(database.admin.host, database.admin.port)
    io_loop.run_sync(proxy.open)
    yield proxy
    io_loop.run_sync(proxy.close)


@pytest.fixture
def orders(proxy: CuttingProxy, customers: Api, start_orders: Callable[..., Api]) -> Api:
    # The proxy first: it has to outlive the services, which it is closed after.
    return start_orders(customers.base_url, MYSQL_PORT=str(proxy.own_port))


def check_asks_to_try_again(answer: Answer) -> None:
    assert refusal(answer) == BUSY
    assert int(answer.headers["Retry-After"]) >= 1


async def until_answered(call: Callable[[], Any]) -> Answer:
    """Repeat a request as its client would, for as long as it is told to try again."""
    while True:
        answer: Answer = await call()
        if answer.status != 503:
            return answer
        check_asks_to_try_again(answer)


async def test_an_order_whose_commit_was_done_is_answered_as_if_nothing_had_happened(
    orders: Api, customers: Api, proxy: CuttingProxy, database: TestDatabase
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    key = unique("key")
    proxy.at("COMMIT", Cut.AFTER)

    answer = await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)
    again = await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)

    assert proxy.done.is_set()
    assert answer.status == again.status == 201
    assert answer.body == again.body
    assert orders_of(database, customer) == [answer.json["id"]]
    assert stocks(database, [product]) == [99]


async def test_an_order_whose_commit_was_lost_on_the_way_is_taken_by_the_repeat(
    orders: Api, customers: Api, proxy: CuttingProxy, database: TestDatabase
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    key = unique("key")
    proxy.at("COMMIT", Cut.BEFORE)

    first = await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)
    check_asks_to_try_again(first)
    assert proxy.reached.is_set()
    answer = await until_answered(
        lambda: create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)
    )

    assert answer.status == 201
    assert orders_of(database, customer) == [answer.json["id"]]
    assert stocks(database, [product]) == [99]


async def test_a_repeat_that_overtakes_the_commit_waits_for_it(
    orders: Api, customers: Api, proxy: CuttingProxy, database: TestDatabase
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    key = unique("key")
    proxy.at("COMMIT", Cut.LATE)
    first = await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)
    check_asks_to_try_again(first)

    with holding_product(database, await a_product(orders)) as watcher:
        repeat = asyncio.create_task(
            create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)
        )
        await watcher.until_waiting()
        proxy.let_through.set()
        answer = await repeat

    assert answer.status == 201
    assert answer.headers["Idempotent-Replayed"] == "true"
    assert orders_of(database, customer) == [answer.json["id"]]
    assert stocks(database, [product]) == [99]


async def test_a_database_that_is_gone_after_the_commit_is_a_503_and_the_repeat_a_replay(
    orders: Api, customers: Api, proxy: CuttingProxy, database: TestDatabase
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    key = unique("key")
    proxy.at("COMMIT", Cut.AFTER_AND_AWAY)

    first = await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)
    check_asks_to_try_again(first)
    assert (await orders.get("/health")).status == 503
    proxy.come_back()
    answer = await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)

    assert answer.status == 201
    assert answer.headers["Idempotent-Replayed"] == "true"
    assert orders_of(database, customer) == [answer.json["id"]]
    async with asyncio.timeout(5):
        while (await orders.get("/health")).status != 200:
            pass


@pytest.mark.parametrize("cut", [Cut.BEFORE, Cut.AFTER])
async def test_an_order_without_a_key_is_a_503_when_nobody_can_tell_whether_it_stands(
    orders: Api, customers: Api, proxy: CuttingProxy, database: TestDatabase, cut: Cut
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    proxy.at("COMMIT", cut)

    check_asks_to_try_again(await create(orders, customer["id"], lines((product, 1))))

    # It stands or it does not, with its stock; it is never taken twice.
    taken = len(orders_of(database, customer))
    assert taken == (1 if cut is Cut.AFTER else 0)
    assert stocks(database, [product]) == [100 - taken]


@pytest.mark.parametrize("cut", [Cut.BEFORE, Cut.AFTER])
async def test_a_confirmation_takes_place_once_whatever_becomes_of_its_commit(
    orders: Api, customers: Api, proxy: CuttingProxy, cut: Cut
) -> None:
    order = await an_order(orders, await a_customer(customers), (await a_product(orders), 1))
    key = unique("key")
    proxy.at("COMMIT", cut)

    answer = await until_answered(lambda: confirm(orders, order, key))

    assert answer.status == 200
    assert answer.json["status"] == "CONFIRMED"
    assert (await orders.get(f"/orders/{order['id']}")).body == answer.body
    assert refusal(await confirm(orders, order)) == (409, "ORDER_NOT_CONFIRMABLE")


@pytest.mark.parametrize("cut", [Cut.BEFORE, Cut.AFTER])
@pytest.mark.parametrize("with_key", [True, False])
async def test_a_cancel_gives_the_stock_back_once_whatever_becomes_of_its_commit(
    orders: Api,
    customers: Api,
    proxy: CuttingProxy,
    database: TestDatabase,
    cut: Cut,
    *,
    with_key: bool,
) -> None:
    product = await a_product(orders, stock=10)
    order = await a_confirmed_order(orders, await a_customer(customers), (product, 4))
    headers = {"X_Idempotency_Key": unique("key")} if with_key else {}
    proxy.at("COMMIT", cut)

    answer = await until_answered(lambda: cancel(orders, order, **headers))

    assert (answer.status, answer.json["status"]) == (200, "CANCELED")
    assert stocks(database, [product]) == [10]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT fingerprint",
        "BEGIN",
        "SELECT id, price_cents",
        "INSERT INTO orders",
        "UPDATE products",
    ],
)
@pytest.mark.parametrize("cut", [Cut.BEFORE, Cut.AFTER])
async def test_a_connection_lost_before_the_commit_is_not_noticed_by_the_client(
    orders: Api,
    customers: Api,
    proxy: CuttingProxy,
    database: TestDatabase,
    statement: str,
    cut: Cut,
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    key = unique("key")
    proxy.at(statement, cut)

    answer = await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)

    assert proxy.reached.is_set()
    assert answer.status == 201
    assert "Idempotent-Replayed" not in answer.headers
    assert orders_of(database, customer) == [answer.json["id"]]
    assert stocks(database, [product]) == [99]


@pytest.mark.parametrize("cut", [Cut.BEFORE, Cut.AFTER])
async def test_a_stock_delta_whose_commit_was_cut_is_a_503_and_never_counts_twice(
    orders: Api, proxy: CuttingProxy, database: TestDatabase, cut: Cut
) -> None:
    product = await a_product(orders, stock=10)
    proxy.at("COMMIT", cut)

    check_asks_to_try_again(await patch(orders, product, {"stock_delta": 1}))

    assert stocks(database, [product]) == [11 if cut is Cut.AFTER else 10]


async def test_a_commit_that_is_never_answered_is_given_up_in_bounded_time(
    orders: Api,
    customers: Api,
    proxy: CuttingProxy,
    database: TestDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service_database, "USE_SECONDS", 0.5)
    customer, product = await a_customer(customers), await a_product(orders)
    key = unique("key")
    proxy.at("COMMIT", Cut.MUTE)
    started = time.monotonic()

    answer = await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)

    assert time.monotonic() - started < 3
    assert answer.status == 201
    assert orders_of(database, customer) == [answer.json["id"]]
    assert stocks(database, [product]) == [99]
