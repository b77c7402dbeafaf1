"""Orders: taken with their stock, at prices that stay, and read again."""

import asyncio

import pytest

from tests.apis import SERVICE_TOKEN, Api, token
from tests.builders import a_customer, a_product, an_order, lines, stock_of
from tests.database_servers import TestDatabase
from tests.integration.order_calls import (
    MOMENT,
    cancel,
    confirm,
    create,
    patch,
    refusal,
)

UNHEARD_OF = {"2**62": 2**62, "2**63": 2**63, "2**64": 2**64, "10**30": 10**30, "10**300": 10**300}


async def test_a_new_order_is_answered_with_its_place_its_tag_and_its_items(
    orders: Api, customers: Api
) -> None:
    customer = await a_customer(customers)
    laptop = await a_product(orders, price_cents=129900, stock=10)
    mouse = await a_product(orders, price_cents=2450, stock=10)

    answer = await create(orders, customer["id"], lines((mouse, 2), (laptop, 3)))

    assert answer.status == 201
    order = answer.json
    assert answer.headers["Location"] == f"/orders/{order['id']}"
    assert "Idempotent-Replayed" not in answer.headers
    assert MOMENT.fullmatch(order["created_at"])
    assert order == {
        "id": order["id"],
        "customer_id": customer["id"],
        "status": "CREATED",
        "total_cents": 394600,
        "created_at": order["created_at"],
        "confirmed_at": None,
        "canceled_at": None,
        "items": [
            {
                "product_id": laptop["id"],
                "qty": 3,
                "unit_price_cents": 129900,
                "subtotal_cents": 389700,
            },
            {
                "product_id": mouse["id"],
                "qty": 2,
                "unit_price_cents": 2450,
                "subtotal_cents": 4900,
            },
        ],
    }
    read = await orders.get(f"/orders/{order['id']}")
    assert (read.status, read.body) == (200, answer.body)
    assert read.headers["ETag"] == answer.headers["ETag"]
    assert [await stock_of(orders, product) for product in (laptop, mouse)] == [7, 8]


async def test_the_orchestrator_may_take_an_order_with_the_service_token(
    orders: Api, customers: Api
) -> None:
    items = lines((await a_product(orders), 1))

    answer = await create(
        orders.called_with(SERVICE_TOKEN), (await a_customer(customers))["id"], items
    )

    assert answer.status == 201


async def test_a_viewer_may_look_at_orders_and_change_none(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    order = await an_order(orders, await a_customer(customers), (await a_product(orders), 1))
    viewer = orders.called_with(token("viewer"))

    assert (await viewer.get(f"/orders/{order['id']}")).json == order
    assert (await viewer.get("/orders?limit=1")).status == 200
    assert refusal(await create(viewer, order["customer_id"], [])) == (403, "FORBIDDEN")
    assert refusal(await confirm(viewer, order)) == (403, "FORBIDDEN")
    assert refusal(await cancel(viewer, order)) == (403, "FORBIDDEN")
    assert (await orders.get(f"/orders/{order['id']}")).json == order


async def test_the_prices_of_an_order_stay_as_they_were_when_it_was_taken(
    orders: Api, customers: Api
) -> None:
    customer = await a_customer(customers)
    product = await a_product(orders, price_cents=100)
    order = await an_order(orders, customer, (product, 2))

    await patch(orders, product, {"price_cents": 999})

    assert (await orders.get(f"/orders/{order['id']}")).json == order
    assert (await confirm(orders, order)).json["total_cents"] == 200
    later = await an_order(orders, customer, (product, 2))
    assert later["total_cents"] == 1998


async def test_lines_of_one_product_are_added_up(orders: Api, customers: Api) -> None:
    one, other = await a_product(orders, price_cents=5), await a_product(orders, price_cents=7)

    order = await an_order(orders, await a_customer(customers), (other, 1), (one, 2), (other, 3))

    assert [(item["product_id"], item["qty"]) for item in order["items"]] == [
        (one["id"], 2),
        (other["id"], 4),
    ]
    assert order["total_cents"] == 38
    assert [await stock_of(orders, product) for product in (one, other)] == [98, 96]


async def test_an_order_may_have_100_lines_of_100_products(orders: Api, customers: Api) -> None:
    products = await asyncio.gather(
        *(a_product(orders, stock=1, price_cents=number) for number in range(100))
    )

    order = await an_order(
        orders, await a_customer(customers), *((product, 1) for product in products)
    )

    assert order["total_cents"] == sum(range(100))
    assert len((await orders.get(f"/orders/{order['id']}")).json["items"]) == 100
    assert (await cancel(orders, order)).status == 200
    assert {await stock_of(orders, product) for product in products} == {1}


async def test_a_line_may_have_a_million_units_and_lines_together_more(
    orders: Api, customers: Api
) -> None:
    product = await a_product(orders, stock=200_000_000, price_cents=1)

    order = await an_order(orders, await a_customer(customers), *[(product, 1_000_000)] * 100)

    assert order["items"][0]["qty"] == order["total_cents"] == 100_000_000


async def test_a_whole_float_is_the_integer(orders: Api, customers: Api) -> None:
    customer, product = await a_customer(customers), await a_product(orders)

    answer = await create(
        orders, float(customer["id"]), [{"product_id": float(product["id"]), "qty": 2.0}]
    )

    assert answer.status == 201
    assert b"." not in answer.body.replace(answer.json["created_at"].encode(), b"")
    assert answer.json["items"][0]["qty"] == 2


@pytest.mark.parametrize("number", UNHEARD_OF.values(), ids=UNHEARD_OF)
async def test_an_order_that_does_not_exist_is_not_found(orders: Api, number: int) -> None:
    order = {"id": number}

    assert refusal(await orders.get(f"/orders/{number}")) == (404, "ORDER_NOT_FOUND")
    assert refusal(await confirm(orders, order)) == (404, "ORDER_NOT_FOUND")
    assert refusal(await cancel(orders, order)) == (404, "ORDER_NOT_FOUND")


@pytest.mark.parametrize("number", ["0", "-1", "abc", "1.0", "01"])
async def test_what_is_no_id_is_not_found_anywhere(orders: Api, number: str) -> None:
    order = {"id": number}

    assert refusal(await orders.get(f"/orders/{number}")) == (404, "NOT_FOUND")
    assert refusal(await confirm(orders, order)) == (404, "NOT_FOUND")
    assert refusal(await cancel(orders, order)) == (404, "NOT_FOUND")


async def test_an_order_is_never_changed_or_deleted_by_itself(orders: Api, customers: Api) -> None:
    order = await an_order(orders, await a_customer(customers), (await a_product(orders), 1))

    for method in ("PUT", "PATCH", "DELETE", "POST"):
        answer = await orders.call(method, f"/orders/{order['id']}", {})
        assert refusal(answer) == (405, "METHOD_NOT_ALLOWED")
        assert answer.headers["Allow"] == "HEAD, GET"
