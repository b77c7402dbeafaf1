"""Idempotency keys whose time is over."""

import asyncio
from collections.abc import Callable

import pytest

from tests.apis import Api
from tests.builders import a_customer, a_product, an_order, lines, unique
from tests.database_servers import TestDatabase
from tests.integration.order_calls import cancel, confirm, create, refusal
from tests.integration.order_facts import orders_of, stocks
from tests.integration.replays import check_first, check_replay


def expire(database: TestDatabase, key: str) -> None:
    """Let a key's time be over."""
    database.query(
        "UPDATE idempotency_keys SET expires_at = UTC_TIMESTAMP(3) WHERE `key` = %s",
        key.encode(),
    )


async def test_a_key_is_kept_for_24_hours_or_as_long_as_it_is_set(
    orders: Api, orders_forgetting_soon: Api, customers: Api, database: TestDatabase
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    for api, seconds in ((orders, 24 * 3600), (orders_forgetting_soon, 77)):
        key = unique("key")
        await create(api, customer["id"], lines((product, 1)), X_Idempotency_Key=key)
        lifetime = database.query(
            "SELECT TIMESTAMPDIFF(MICROSECOND, created_at, expires_at) FROM idempotency_keys"
            " WHERE `key` = %s",
            key.encode(),
        )
        assert lifetime == [(seconds * 1_000_000,)]


@pytest.fixture
def orders_forgetting_soon(customers: Api, start_orders: Callable[..., Api]) -> Api:
    return start_orders(customers.base_url, IDEMPOTENCY_TTL_SECONDS="77")


async def test_an_order_under_an_expired_key_is_a_new_one(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    key = unique("key")
    first = await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)
    expire(database, key)

    second = await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)

    check_first(second)
    assert orders_of(database, customer) == [first.json["id"], second.json["id"]]
    check_replay(
        await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key), second
    )


async def test_an_expired_key_may_be_used_for_anything_else(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    key = unique("key")
    order = (await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)).json

    expire(database, key)
    confirmed = await confirm(orders, order, key)
    check_first(confirmed, 200)
    check_replay(await confirm(orders, order, key), confirmed)

    expire(database, key)
    canceled = await cancel(orders, order, X_Idempotency_Key=key)
    check_first(canceled, 200)
    check_replay(await cancel(orders, order, X_Idempotency_Key=key), canceled)


async def test_a_confirmation_under_an_expired_key_meets_the_order_as_it_is(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    order = await an_order(orders, await a_customer(customers), (await a_product(orders), 1))
    key = unique("key")
    await confirm(orders, order, key)
    expire(database, key)

    for _ in range(2):
        assert refusal(await confirm(orders, order, key)) == (409, "ORDER_NOT_CONFIRMABLE")


async def test_30_orders_at_once_under_an_expired_key_are_one(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    key = unique("key")
    old = await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)
    expire(database, key)

    answers = await asyncio.gather(
        *(
            create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)
            for _ in range(30)
        )
    )

    assert {answer.status for answer in answers} == {201}
    assert len({answer.body for answer in answers}) == 1
    assert orders_of(database, customer) == [old.json["id"], answers[0].json["id"]]
    assert stocks(database, [product]) == [98]
