"""One idempotency key, many requests at once."""

from collections import Counter
from typing import Any

import pytest

from tests.apis import Api
from tests.builders import a_customer, a_product, an_order, lines, unique
from tests.database_servers import TestDatabase
from tests.integration.order_calls import cancel, confirm, patch
from tests.integration.order_facts import orders_of, rows, stocks
from tests.integration.races.crowd import (
    Call,
    at_once,
    codes,
    creating,
    statuses,
)


async def test_30_identical_confirmations_have_one_effect_and_one_answer(
    doors: list[Api], orders: Api, customers: Api
) -> None:
    order = await an_order(orders, await a_customer(customers), (await a_product(orders), 1))
    key = unique("key")

    answers = await at_once(doors, [lambda door: confirm(door, order, key)] * 30)

    assert statuses(answers) == {200: 30}
    assert len({(answer.body, answer.headers["ETag"]) for answer in answers}) == 1
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == 29
    assert (await orders.get(f"/orders/{order['id']}")).body == answers[0].body


async def test_30_confirmations_under_different_keys_are_one_and_29_refusals(
    doors: list[Api], orders: Api, customers: Api
) -> None:
    order = await an_order(orders, await a_customer(customers), (await a_product(orders), 1))

    answers = await at_once(doors, [lambda door: confirm(door, order)] * 30)

    assert statuses(answers) == {200: 1, 409: 29}
    assert codes(answers) == {"ORDER_NOT_CONFIRMABLE": 29}


async def test_30_identical_orders_that_are_refused_are_30_refusals_and_the_key_is_free(
    doors: list[Api], orders: Api, customers: Api, database: TestDatabase
) -> None:
    customer, product = await a_customer(customers), await a_product(orders, stock=1)
    before, key = rows(database), unique("key")
    call = creating(customer, lines((product, 2)), X_Idempotency_Key=key)

    answers = await at_once(doors, [call] * 30)

    assert statuses(answers) == {409: 30}
    assert codes(answers) == {"INSUFFICIENT_STOCK": 30}
    assert rows(database) == before
    await patch(orders, product, {"stock": 2})
    assert (await call(orders)).status == 201


async def test_30_identical_confirmations_that_are_refused_are_30_refusals(
    doors: list[Api], orders: Api, customers: Api
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    canceled = await an_order(orders, customer, (product, 1))
    await cancel(orders, canceled)
    key = unique("key")

    answers = await at_once(doors, [lambda door: confirm(door, canceled, key)] * 30)

    assert codes(answers) == {"ORDER_NOT_CONFIRMABLE": 30}
    order = await an_order(orders, customer, (product, 1))
    assert (await confirm(orders, order, key)).status == 200


@pytest.mark.parametrize("stock", [1000, 2])
async def test_30_identical_orders_are_one_order_and_30_identical_answers(
    doors: list[Api], orders: Api, customers: Api, database: TestDatabase, stock: int
) -> None:
    customer, product = await a_customer(customers), await a_product(orders, stock=stock)
    # With a stock of 2 it takes the last units: its twins must not be told that there are none.
    call = creating(customer, lines((product, 2)), X_Idempotency_Key=unique("key"))

    answers = await at_once(doors, [call] * 30)

    assert statuses(answers) == {201: 30}
    assert len({(answer.body, answer.headers["Location"]) for answer in answers}) == 1
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == 29
    assert orders_of(database, customer) == [answers[0].json["id"]]
    assert stocks(database, [product]) == [stock - 2]


async def test_different_orders_at_once_under_one_key_are_one_order(
    doors: list[Api], orders: Api, customers: Api, database: TestDatabase
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    key = unique("key")

    answers = await at_once(
        doors,
        [
            creating(customer, lines((product, 1 + number % 3)), X_Idempotency_Key=key)
            for number in range(30)
        ],
    )

    assert statuses(answers) == {201: 10, 422: 20}
    assert codes(answers) == {"IDEMPOTENCY_KEY_REUSED": 20}
    winners = {answer.body for answer in answers if answer.status == 201}
    assert len(winners) == 1
    assert len(orders_of(database, customer)) == 1


async def test_one_key_at_once_for_several_orders_confirms_one_of_them(
    doors: list[Api], orders: Api, customers: Api
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    taken = [await an_order(orders, customer, (product, 1)) for _ in range(10)]
    key = unique("key")

    def under_the_key(order: dict[str, Any]) -> Call:
        return lambda door: confirm(door, order, key)

    answers = await at_once(doors, [under_the_key(order) for order in taken])

    assert statuses(answers) == {200: 1, 422: 9}
    states = [(await orders.get(f"/orders/{order['id']}")).json["status"] for order in taken]
    assert Counter(states) == {"CONFIRMED": 1, "CREATED": 9}
