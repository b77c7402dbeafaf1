"""A repeated request acts once and gets the first response again."""

from collections.abc import Callable

import pytest

from tests.apis import Api
from tests.builders import a_customer, a_product, an_order, lines, unique
from tests.database_servers import TestDatabase
from tests.integration.fake_customers import FakeCustomers, HangsUp
from tests.integration.order_calls import cancel, confirm, create, patch, refusal
from tests.integration.order_facts import orders_of, stocks
from tests.integration.replays import check_first, check_replay


async def replays(orders: Api) -> float:
    """Return how many responses were sent again, as the metrics have it."""
    text = (await orders.called_with(None).get("/metrics")).body.decode()
    (line,) = [line for line in text.splitlines() if line.startswith("idempotent_replays_total ")]
    return float(line.split()[1])


@pytest.fixture
def orders_beside_fake(fake: FakeCustomers, start_orders: Callable[..., Api]) -> Api:
    return start_orders(fake.base_url)


async def test_a_repeated_order_gets_the_first_response_byte_for_byte(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    customer, product = await a_customer(customers, name="Ñandú"), await a_product(orders)
    key = unique("key")
    first = await create(orders, customer["id"], lines((product, 2)), X_Idempotency_Key=key)
    check_first(first)

    for _ in range(3):
        check_replay(
            await create(orders, customer["id"], lines((product, 2)), X_Idempotency_Key=key), first
        )

    assert first.headers["Location"] == f"/orders/{first.json['id']}"
    assert orders_of(database, customer) == [first.json["id"]]
    assert stocks(database, [product]) == [98]


async def test_a_repeat_gets_the_first_response_even_after_the_order_went_on(
    orders: Api, customers: Api
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    key, other = unique("key"), unique("key")
    created = await create(orders, customer["id"], lines((product, 2)), X_Idempotency_Key=key)
    confirmed = await confirm(orders, created.json, other)
    await patch(orders, product, {"price_cents": 1})
    canceled = await cancel(orders, created.json)

    check_replay(
        await create(orders, customer["id"], lines((product, 2)), X_Idempotency_Key=key), created
    )
    check_replay(await confirm(orders, created.json, other), confirmed)
    assert created.json["status"] == "CREATED"
    assert confirmed.json["status"] == "CONFIRMED"
    assert (await orders.get(f"/orders/{created.json['id']}")).body == canceled.body


async def test_a_repeated_confirmation_and_a_repeated_cancel_get_their_first_responses(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    product = await a_product(orders, stock=10)
    order = await an_order(orders, await a_customer(customers), (product, 3))
    to_confirm, to_cancel = unique("confirm"), unique("cancel")

    confirmed = await confirm(orders, order, to_confirm)
    check_replay(await confirm(orders, order, to_confirm), confirmed)
    canceled = await cancel(orders, order, X_Idempotency_Key=to_cancel)
    check_replay(await cancel(orders, order, X_Idempotency_Key=to_cancel), canceled)

    check_first(confirmed, 200)
    check_first(canceled, 200)
    assert stocks(database, [product]) == [10]


async def test_an_answer_from_memory_has_the_correlation_id_of_its_own_request(
    orders: Api, customers: Api
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    key = unique("key")
    await create(
        orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key, X_Correlation_Id="one"
    )

    again = await create(
        orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key, X_Correlation_Id="two"
    )

    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["X-Correlation-Id"] == "two"


async def test_a_repeat_is_answered_while_the_customers_api_is_away(
    orders_beside_fake: Api, customers: Api, fake: FakeCustomers
) -> None:
    orders = orders_beside_fake
    customer, product = await a_customer(customers), await a_product(orders)
    key = unique("key")
    first = await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)
    fake.plan = HangsUp()

    check_replay(
        await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key), first
    )
    check_replay(
        await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key), first
    )
    unknown = await create(
        orders, customer["id"], lines((product, 1)), X_Idempotency_Key=unique("key")
    )
    assert refusal(unknown) == (503, "CUSTOMERS_UNAVAILABLE")


async def test_a_repeat_is_answered_after_the_customer_was_deleted_and_the_stock_sold_out(
    orders: Api, customers: Api
) -> None:
    customer, product = await a_customer(customers), await a_product(orders, stock=1)
    key = unique("key")
    first = await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)
    await customers.call("DELETE", f"/customers/{customer['id']}")

    check_replay(
        await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key), first
    )


async def test_a_body_that_is_the_same_json_value_is_the_same_request(
    orders: Api, customers: Api
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    key = unique("key")
    first = await create(orders, customer["id"], lines((product, 2)), X_Idempotency_Key=key)

    for spelling in (
        '{"items":[{"qty":2,"product_id":%d}],"customer_id":%d}',
        '  {"items": [ {"qty": 2.0, "product_id": %d.0} ],\n "customer_id" : %d.00}  ',
        '{"\\u0069tems":[{"qty":20e-1,"product_id":%d}],"customer_id":%d}',
    ):
        again = await orders.call(
            "POST",
            "/orders",
            data=(spelling % (product["id"], customer["id"])).encode(),
            Content_Type="application/json; charset=utf-8",
            X_Idempotency_Key=key,
        )
        check_replay(again, first)

    order = first.json
    other = unique("key")
    confirmed = await confirm(orders, order, other)
    for data in (b"{}", b" {} ", None):
        again = await orders.call(
            "POST", f"/orders/{order['id']}/confirm", data=data, X_Idempotency_Key=other
        )
        check_replay(again, confirmed)


async def test_replays_are_counted(orders: Api, customers: Api) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    key = unique("key")
    assert await replays(orders) == 0

    first = await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)
    assert await replays(orders) == 0
    await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)
    await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)
    await create(orders, customer["id"], lines((product, 2)), X_Idempotency_Key=key)
    await confirm(orders, first.json, key)

    assert await replays(orders) == 2
