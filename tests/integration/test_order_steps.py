"""Orders after they were taken: confirmed once, canceled in time."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from tests.apis import Api
from tests.builders import a_customer, a_product, an_order, lines, stock_of, unique
from tests.database_servers import TestDatabase
from tests.integration.locks import holding_order, holding_product
from tests.integration.order_calls import (
    MOMENT,
    a_confirmed_order,
    cancel,
    confirm,
    create,
    patch,
    refusal,
)
from tests.integration.order_facts import confirmed_ago, rows, stocks
from tests.waiting import until

Start = Callable[..., Api]


async def test_a_confirmed_order_says_so_and_since_when(orders: Api, customers: Api) -> None:
    product = await a_product(orders)
    order = await an_order(orders, await a_customer(customers), (product, 1))

    answer = await confirm(orders, order)

    assert answer.status == 200
    moment = answer.json["confirmed_at"]
    assert MOMENT.fullmatch(moment)
    assert answer.json == {**order, "status": "CONFIRMED", "confirmed_at": moment}
    assert order["created_at"] <= moment
    read = await orders.get(f"/orders/{order['id']}")
    assert (read.body, read.headers["ETag"]) == (answer.body, answer.headers["ETag"])
    assert await stock_of(orders, product) == 99


async def test_an_order_is_confirmed_under_one_key_only(orders: Api, customers: Api) -> None:
    product = await a_product(orders)
    order = await a_confirmed_order(orders, await a_customer(customers), (product, 1))

    assert refusal(await confirm(orders, order)) == (409, "ORDER_NOT_CONFIRMABLE")
    assert (await orders.get(f"/orders/{order['id']}")).json == order


async def test_a_canceled_order_cannot_be_confirmed(orders: Api, customers: Api) -> None:
    product = await a_product(orders)
    order = await an_order(orders, await a_customer(customers), (product, 1))
    canceled = (await cancel(orders, order)).json

    assert refusal(await confirm(orders, order)) == (409, "ORDER_NOT_CONFIRMABLE")
    assert (await orders.get(f"/orders/{order['id']}")).json == canceled


@pytest.mark.parametrize("step", ["confirm", "cancel"])
async def test_a_step_takes_no_body_or_an_empty_object(
    orders: Api, customers: Api, step: str
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    bodies: list[tuple[bytes, tuple[int, str] | None]] = [
        (b"{}", None),
        (b"", None),
        (b" { } ", None),
        (b"{", (400, "INVALID_JSON")),
        (b"[]", (422, "VALIDATION_FAILED")),
        (b"null", (422, "VALIDATION_FAILED")),
        (b'{"status": "CONFIRMED"}', (422, "VALIDATION_FAILED")),
    ]

    for data, expected in bodies:
        order = await an_order(orders, customer, (product, 1))
        answer = await orders.call(
            "POST",
            f"/orders/{order['id']}/{step}",
            data=data,
            Content_Type="application/json",
            X_Idempotency_Key=unique("key"),
        )
        if expected is None:
            assert answer.status == 200, data
        else:
            assert refusal(answer) == expected, data
            assert (await orders.get(f"/orders/{order['id']}")).json == order


async def test_a_created_order_can_be_canceled_however_old_and_gives_its_stock_back(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    products = [await a_product(orders, stock=10) for _ in range(2)]
    order = await an_order(orders, await a_customer(customers), (products[0], 3), (products[1], 10))
    database.query(
        "UPDATE orders SET created_at = created_at - INTERVAL 1 YEAR WHERE id = %s", order["id"]
    )
    order = (await orders.get(f"/orders/{order['id']}")).json

    answer = await cancel(orders, order)

    assert answer.status == 200
    moment = answer.json["canceled_at"]
    assert answer.json == {**order, "status": "CANCELED", "canceled_at": moment}
    assert MOMENT.fullmatch(moment)
    assert (await orders.get(f"/orders/{order['id']}")).body == answer.body
    assert stocks(database, products) == [10, 10]


async def test_an_order_canceled_again_is_answered_as_it_is_and_its_stock_stays(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    product = await a_product(orders, stock=10)
    order = await an_order(orders, await a_customer(customers), (product, 4))
    first = await cancel(orders, order)

    again = await cancel(orders, order)

    assert (again.status, again.body) == (200, first.body)
    assert again.headers["ETag"] == first.headers["ETag"]
    assert "Idempotent-Replayed" not in again.headers
    assert stocks(database, [product]) == [10]


async def test_a_confirmed_order_can_be_canceled_within_ten_minutes_of_the_confirmation(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    product = await a_product(orders, stock=10)
    order = await a_confirmed_order(orders, await a_customer(customers), (product, 4))
    # Five seconds are left to the request; the very moment is a matter of the unit tests.
    confirmed_ago(database, order, 595)

    answer = await cancel(orders, order)

    assert answer.status == 200
    assert answer.json["status"] == "CANCELED"
    assert answer.json["confirmed_at"] is not None
    assert stocks(database, [product]) == [10]


async def test_after_ten_minutes_a_confirmed_order_stands(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    product = await a_product(orders, stock=10)
    order = await a_confirmed_order(orders, await a_customer(customers), (product, 4))
    confirmed_ago(database, order, 600.1)
    order = (await orders.get(f"/orders/{order['id']}")).json

    assert refusal(await cancel(orders, order)) == (409, "CANCEL_WINDOW_CLOSED")
    assert (await orders.get(f"/orders/{order['id']}")).json == order
    assert stocks(database, [product]) == [6]


async def test_a_canceled_order_stays_canceled_when_the_time_to_cancel_is_over(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    product = await a_product(orders, stock=10)
    order = await a_confirmed_order(orders, await a_customer(customers), (product, 4))
    await cancel(orders, order)
    confirmed_ago(database, order, 3600)

    again = await cancel(orders, order)

    assert (again.status, again.json["status"]) == (200, "CANCELED")
    assert stocks(database, [product]) == [10]


@pytest.fixture
def orders_cancelable_for_5_seconds(customers: Api, start_orders: Start) -> Api:
    return start_orders(customers.base_url, CANCEL_WINDOW_SECONDS="5")


async def test_the_time_to_cancel_is_a_setting(
    orders_cancelable_for_5_seconds: Api, customers: Api, database: TestDatabase
) -> None:
    orders = orders_cancelable_for_5_seconds
    product = await a_product(orders, stock=10)
    customer = await a_customer(customers)
    late = await a_confirmed_order(orders, customer, (product, 1))
    in_time = await a_confirmed_order(orders, customer, (product, 2))
    confirmed_ago(database, late, 5.1)

    assert refusal(await cancel(orders, late)) == (409, "CANCEL_WINDOW_CLOSED")
    assert (await cancel(orders, in_time)).status == 200
    assert stocks(database, [product]) == [9]


async def test_a_cancel_that_waited_until_the_time_was_over_comes_too_late(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    product = await a_product(orders, stock=10)
    order = await a_confirmed_order(orders, await a_customer(customers), (product, 4))
    confirmed_ago(database, order, 598.5)

    with holding_order(database, order) as other:
        attempt = asyncio.create_task(cancel(orders, order))
        await other.until_waiting()
        is_over = "SELECT confirmed_at + INTERVAL 600 SECOND < SYSDATE(3) FROM orders WHERE id = %s"
        await until(lambda: other.run(is_over, order["id"]) == [(1,)], "the time to be over")

    assert refusal(await attempt) == (409, "CANCEL_WINDOW_CLOSED")
    assert stocks(database, [product]) == [6]


async def test_moments_are_in_utc_by_the_clock_of_the_database(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    before = database.query("SELECT UTC_TIMESTAMP(3)")[0][0]

    order = await an_order(orders, customer, (product, 1))
    confirmed = (await confirm(orders, order)).json
    canceled = (await cancel(orders, order)).json

    after = database.query("SELECT UTC_TIMESTAMP(3)")[0][0]
    moments = [
        datetime.fromisoformat(moment).replace(tzinfo=None)
        for moment in (
            order["created_at"],
            confirmed["confirmed_at"],
            canceled["canceled_at"],
        )
    ]
    assert isinstance(before, datetime)
    assert isinstance(after, datetime)
    assert [before, *moments, after] == sorted([before, *moments, after])
    assert after - before < timedelta(seconds=10)


async def test_a_lock_not_had_in_5_seconds_is_a_503_and_changes_nothing(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    customer = await a_customer(customers)
    product, free = await a_product(orders, stock=10), await a_product(orders, stock=10)
    order = await an_order(orders, customer, (product, 1))
    before = rows(database)

    with holding_product(database, product) as other:
        other.run("SELECT id FROM orders WHERE id = %s FOR UPDATE", order["id"])
        started = asyncio.get_running_loop().time()
        answers = await asyncio.gather(
            create(orders, customer["id"], lines((free, 1), (product, 1))),
            patch(orders, product, {"stock_delta": 1}),
            confirm(orders, order),
            cancel(orders, order),
        )
        seconds = asyncio.get_running_loop().time() - started

    assert [refusal(answer) for answer in answers] == [(503, "BUSY")] * 4
    assert [answer.headers["Retry-After"] for answer in answers] == ["1"] * 4
    assert 4 < seconds < 8
    assert rows(database) == before
    assert stocks(database, [product, free]) == [9, 10]
    assert (await orders.get(f"/orders/{order['id']}")).json == order
