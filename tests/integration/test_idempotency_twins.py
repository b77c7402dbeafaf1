"""Requests under one key that meet in the middle."""

import asyncio

import pytest

from tests.apis import Api
from tests.builders import a_customer, a_product, an_order, lines, unique
from tests.database_servers import TestDatabase
from tests.integration.locks import holding, holding_product
from tests.integration.order_calls import confirm, create, refusal
from tests.integration.order_facts import orders_of, stocks
from tests.integration.replays import check_first, check_replay

REUSED = (422, "IDEMPOTENCY_KEY_REUSED")


async def test_a_request_that_finds_its_key_taken_at_the_end_gets_the_response_of_its_twin(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    key = unique("key")

    with holding_product(database, product) as other:
        twins = [
            asyncio.create_task(
                create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)
            )
            for _ in range(2)
        ]
        await other.until_waiting(2)
    first, second = sorted(
        await asyncio.gather(*twins), key=lambda answer: "Idempotent-Replayed" in answer.headers
    )

    check_first(first)
    check_replay(second, first)
    assert orders_of(database, customer) == [first.json["id"]]
    assert stocks(database, [product]) == [99]


async def test_a_request_that_finds_its_key_taken_by_another_one_is_undone(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    customer = await a_customer(customers)
    held, free = await a_product(orders), await a_product(orders)
    key = unique("key")

    with holding_product(database, held) as other:
        slow = asyncio.create_task(
            create(orders, customer["id"], lines((held, 1)), X_Idempotency_Key=key)
        )
        await other.until_waiting()
        quick = await create(orders, customer["id"], lines((free, 1)), X_Idempotency_Key=key)

    check_first(quick)
    assert refusal(await slow) == REUSED
    assert orders_of(database, customer) == [quick.json["id"]]
    assert stocks(database, [held, free]) == [100, 99]


@pytest.mark.parametrize("commits", [True, False])
async def test_a_request_waits_for_the_one_that_is_writing_its_key(
    orders: Api, customers: Api, database: TestDatabase, *, commits: bool
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    key = unique("key")
    write = (
        "INSERT INTO idempotency_keys (`key`, target_type, target_id, fingerprint, status,"
        " response_body, expires_at) VALUES (%s, 'order.create', 1, REPEAT('x', 32), 201, '{}',"
        " UTC_TIMESTAMP(3) + INTERVAL 1 DAY)"
    )

    with holding(database, write, key.encode()) as other:
        attempt = asyncio.create_task(
            create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)
        )
        await other.until_waiting()
        if commits:
            other.commit()
    answer = await attempt

    if commits:
        assert refusal(answer) == REUSED
        assert orders_of(database, customer) == []
        assert stocks(database, [product]) == [100]
    else:
        check_first(answer)
        assert orders_of(database, customer) == [answer.json["id"]]


async def test_a_confirmation_that_meets_its_twin_gets_the_same_answer(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    order = await an_order(orders, await a_customer(customers), (await a_product(orders), 1))
    key = unique("key")
    hold = "SELECT id FROM orders WHERE id = %s FOR UPDATE"

    with holding(database, hold, order["id"]) as other:
        twins = [asyncio.create_task(confirm(orders, order, key)) for _ in range(3)]
        strangers = [asyncio.create_task(confirm(orders, order)) for _ in range(2)]
        await other.until_waiting(5)
    answers = await asyncio.gather(*twins)
    others = await asyncio.gather(*strangers)

    winners = [*answers, *others]
    confirmed = [answer for answer in winners if answer.status == 200]
    assert len({answer.body for answer in confirmed}) == 1
    # Either the twins have it, all three, or one of the strangers, alone.
    assert len(confirmed) in (1, 3)
    assert {answer.status for answer in answers} in ({200}, {409})
    assert all(answer.status in (200, 409) for answer in others)
