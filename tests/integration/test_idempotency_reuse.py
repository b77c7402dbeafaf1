"""What a key that is taken refuses, and what leaves a key free."""

from tests.apis import Api
from tests.builders import a_customer, a_product, an_order, lines, unique
from tests.database_servers import TestDatabase
from tests.integration.order_calls import cancel, confirm, create, patch, refusal
from tests.integration.order_facts import orders_of, stocks
from tests.integration.replays import check_first

REUSED = (422, "IDEMPOTENCY_KEY_REUSED")


async def test_another_body_under_the_same_key_is_refused(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    customer, other = await a_customer(customers), await a_customer(customers)
    one, two = await a_product(orders), await a_product(orders)
    key = unique("key")
    first = await create(orders, customer["id"], lines((one, 1), (two, 1)), X_Idempotency_Key=key)
    check_first(first)

    for customer_id, items in (
        (customer["id"], lines((one, 2), (two, 1))),
        (customer["id"], lines((one, 1))),
        (customer["id"], lines((two, 1), (one, 1))),
        (customer["id"], lines((one, 1), (two, 1), (one, 1))),
        (other["id"], lines((one, 1), (two, 1))),
        (2**62, lines((one, 1), (two, 1))),
        (10**300, [{"product_id": 10**300, "qty": 1}]),
    ):
        answer = await create(orders, customer_id, items, X_Idempotency_Key=key)
        assert refusal(answer) == REUSED

    assert orders_of(database, customer) == [first.json["id"]]
    assert orders_of(database, other) == []
    assert stocks(database, [one, two]) == [99, 99]


async def test_the_key_of_one_order_does_not_confirm_or_cancel_another(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    customer, product = await a_customer(customers), await a_product(orders, stock=10)
    order = await an_order(orders, customer, (product, 1))
    other = await an_order(orders, customer, (product, 1))
    to_confirm, to_cancel = unique("confirm"), unique("cancel")
    await confirm(orders, order, to_confirm)
    await cancel(orders, order, X_Idempotency_Key=to_cancel)

    assert refusal(await confirm(orders, other, to_confirm)) == REUSED
    assert refusal(await cancel(orders, other, X_Idempotency_Key=to_cancel)) == REUSED
    assert refusal(await confirm(orders, {"id": 2**62}, to_confirm)) == REUSED
    assert (await orders.get(f"/orders/{other['id']}")).json == other
    assert stocks(database, [product]) == [9]


async def test_a_key_is_good_for_one_operation(orders: Api, customers: Api) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    to_create, to_confirm, to_cancel = unique("create"), unique("confirm"), unique("cancel")
    order = (
        await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=to_create)
    ).json
    assert refusal(await confirm(orders, order, to_create)) == REUSED
    assert refusal(await cancel(orders, order, X_Idempotency_Key=to_create)) == REUSED

    await confirm(orders, order, to_confirm)
    assert refusal(await cancel(orders, order, X_Idempotency_Key=to_confirm)) == REUSED

    canceled = await cancel(orders, order, X_Idempotency_Key=to_cancel)
    assert refusal(await confirm(orders, order, to_cancel)) == REUSED
    for key in (to_confirm, to_cancel):
        answer = await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)
        assert refusal(answer) == REUSED
    assert (await orders.get(f"/orders/{order['id']}")).body == canceled.body


async def test_a_body_against_the_schema_is_told_so_under_any_key(
    orders: Api, customers: Api
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    key = unique("key")
    await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)

    answer = await create(orders, customer["id"], [], X_Idempotency_Key=key)

    assert refusal(answer) == (422, "VALIDATION_FAILED")


async def test_a_request_that_was_refused_leaves_its_key_free(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    customer, product = await a_customer(customers), await a_product(orders, stock=0)
    key = unique("key")
    for customer_id, items, expected in (
        (customer["id"], [], (422, "VALIDATION_FAILED")),
        (2**62, lines((product, 1)), (404, "CUSTOMER_NOT_FOUND")),
        (customer["id"], [{"product_id": 2**62, "qty": 1}], (404, "PRODUCT_NOT_FOUND")),
        (customer["id"], lines((product, 1)), (409, "INSUFFICIENT_STOCK")),
        (customer["id"], lines((product, 1)), (409, "INSUFFICIENT_STOCK")),
    ):
        answer = await create(orders, customer_id, items, X_Idempotency_Key=key)
        assert refusal(answer) == expected
        assert "Idempotent-Replayed" not in answer.headers
    await patch(orders, product, {"stock": 5})

    first = await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)

    check_first(first)
    assert orders_of(database, customer) == [first.json["id"]]


async def test_a_refused_confirmation_leaves_its_key_free(orders: Api, customers: Api) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    key = unique("key")
    gone = await an_order(orders, customer, (product, 1))
    await cancel(orders, gone)
    assert refusal(await confirm(orders, gone, key)) == (409, "ORDER_NOT_CONFIRMABLE")
    assert refusal(await confirm(orders, {"id": 2**62}, key)) == (404, "ORDER_NOT_FOUND")

    other = await an_order(orders, customer, (product, 1))

    check_first(await confirm(orders, other, key), 200)
