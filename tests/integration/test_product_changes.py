"""Changes of products: name, price and stock, and what they do to the version."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from tests.apis import Api
from tests.builders import a_customer, a_product, an_order, stock_of
from tests.database_servers import TestDatabase
from tests.integration.locks import holding_product
from tests.integration.order_calls import cancel, patch, pointers, refusal

LARGEST_STOCK = 1_000_000_000


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": " Desktop "}, {"name": "Desktop"}),
        ({"price_cents": 0}, {"price_cents": 0}),
        ({"stock": 0}, {"stock": 0}),
        ({"stock_delta": 3}, {"stock": 8}),
        ({"stock_delta": -5}, {"stock": 0}),
        ({"stock_delta": 0}, {"stock": 5}),
        ({"name": "Desk", "price_cents": 7, "stock": 9}, {"name": "Desk", "price_cents": 7}),
        ({"name": "Desk", "price_cents": 7, "stock_delta": -1}, {"name": "Desk", "stock": 4}),
    ],
)
async def test_any_part_of_a_product_can_be_changed(
    orders: Api, change: dict[str, Any], expected: dict[str, Any]
) -> None:
    product = await a_product(orders, stock=5)

    answer = await patch(orders, product, change)

    assert answer.status == 200
    given = {name: value for name, value in change.items() if name not in ("stock_delta", "name")}
    changed = {**product, **given, **expected, "updated_at": answer.json["updated_at"]}
    assert answer.json == changed
    assert answer.json["updated_at"] >= product["updated_at"]
    assert (await orders.get(f"/products/{product['id']}")).body == answer.body


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, [""]),
        ({"stock": 1, "stock_delta": 1}, [""]),
        ({"sku": "another"}, ["/sku"]),
        ({"id": 7, "stock": 1}, ["/id"]),
        ({"stock_delta": LARGEST_STOCK + 1}, ["/stock_delta"]),
        ({"stock_delta": -LARGEST_STOCK - 1}, ["/stock_delta"]),
        ({"stock_delta": 0.5}, ["/stock_delta"]),
        ({"stock_delta": True}, ["/stock_delta"]),
        ({"name": "", "price_cents": None}, ["/name", "/price_cents"]),
        ({"name": "x" * 201}, ["/name"]),
        ({"name": "a\u0007b"}, ["/name"]),
        ([], [""]),
    ],
)
async def test_a_change_that_makes_no_sense_is_refused_and_changes_nothing(
    orders: Api, change: Any, wrong: list[str]
) -> None:
    product = await a_product(orders)

    assert pointers(await patch(orders, product, change)) == wrong
    assert (await orders.get(f"/products/{product['id']}")).json == product


async def test_more_than_there_is_cannot_be_taken(orders: Api) -> None:
    product = await a_product(orders, stock=5)

    answer = await patch(orders, product, {"name": "Renamed", "stock_delta": -6})

    assert refusal(answer) == (409, "INSUFFICIENT_STOCK")
    assert answer.json["errors"] == [{"product_id": product["id"], "requested": 6, "available": 5}]
    assert (await orders.get(f"/products/{product['id']}")).json == product


async def test_a_delta_past_the_largest_stock_is_refused(orders: Api) -> None:
    product = await a_product(orders, stock=LARGEST_STOCK - 1)

    assert (await patch(orders, product, {"stock_delta": 1})).json["stock"] == LARGEST_STOCK
    assert pointers(await patch(orders, product, {"stock_delta": 1})) == ["/stock_delta"]
    assert await stock_of(orders, product) == LARGEST_STOCK


async def test_a_cancel_may_carry_the_stock_past_its_bound_and_changes_still_work(
    orders: Api, customers: Api
) -> None:
    product = await a_product(orders, stock=10)
    order = await an_order(orders, await a_customer(customers), (product, 10))
    await patch(orders, product, {"stock": LARGEST_STOCK})

    canceled = await cancel(orders, order)

    assert canceled.status == 200
    assert await stock_of(orders, product) == LARGEST_STOCK + 10
    assert (await patch(orders, product, {"name": "Renamed"})).json["stock"] == LARGEST_STOCK + 10
    assert (await patch(orders, product, {"stock_delta": -1})).json["stock"] == LARGEST_STOCK + 9
    assert pointers(await patch(orders, product, {"stock_delta": 1})) == ["/stock_delta"]


async def test_50_deltas_at_once_all_count(orders: Api) -> None:
    product = await a_product(orders, stock=100)
    deltas = [3 if number % 2 else -2 for number in range(50)]

    answers = await asyncio.gather(
        *(patch(orders, product, {"stock_delta": delta}) for delta in deltas)
    )

    assert {answer.status for answer in answers} == {200}
    assert await stock_of(orders, product) == 100 + sum(deltas)
    # Each of them saw a version of its own.
    assert len({answer.headers["ETag"] for answer in answers}) == 50


async def test_of_many_takers_at_once_just_as_many_succeed_as_there_are_units(orders: Api) -> None:
    product = await a_product(orders, stock=7)

    answers = await asyncio.gather(
        *(patch(orders, product, {"stock_delta": -1}) for _ in range(30))
    )

    assert Counter(answer.status for answer in answers) == {200: 7, 409: 23}
    assert await stock_of(orders, product) == 0


async def test_a_delta_is_added_to_what_the_stock_is_when_its_turn_comes(
    orders: Api, database: TestDatabase
) -> None:
    product = await a_product(orders, stock=1)

    with holding_product(database, product) as other:
        change = asyncio.create_task(patch(orders, product, {"stock_delta": -3}))
        await other.until_waiting()
        other.run("UPDATE products SET stock = 10 WHERE id = %s", product["id"])
        other.commit()

    assert (await change).json["stock"] == 7


async def test_every_change_gives_a_new_tag_an_order_and_its_cancel_too(
    orders: Api, customers: Api
) -> None:
    product = await a_product(orders)
    customer = await a_customer(customers)
    tags = []

    async def note() -> None:
        tags.append((await orders.get(f"/products/{product['id']}")).headers["ETag"])

    await note()
    order = await an_order(orders, customer, (product, 1))
    await note()
    await cancel(orders, order)
    await note()
    for change in ({"stock_delta": 1}, {"stock": 7}, {"name": "Other"}, {"price_cents": 1}):
        await patch(orders, product, change)
        await note()

    assert len(set(tags)) == len(tags) == 7


async def test_a_tag_is_no_longer_current_once_an_order_has_taken_stock(
    orders: Api, customers: Api
) -> None:
    product = await a_product(orders)
    tag = (await orders.get(f"/products/{product['id']}")).headers["ETag"]
    await an_order(orders, await a_customer(customers), (product, 1))

    answer = await patch(orders, product, {"stock": 100}, If_Match=tag)

    assert refusal(answer) == (412, "PRECONDITION_FAILED")
