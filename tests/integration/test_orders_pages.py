"""The list of orders, a page at a time."""

import asyncio
from datetime import datetime, timedelta

import pytest

from tests.apis import Api
from tests.builders import a_customer, a_product, an_order
from tests.database_servers import TestDatabase
from tests.integration.order_calls import cancel
from tests.integration.past_orders import NOON, written
from tests.plans import random_plan


def query(**parameters: object) -> str:
    """Write a query, without the parameters that are None."""
    given = {name.rstrip("_"): value for name, value in parameters.items() if value is not None}
    return "&".join(f"{name}={value}" for name, value in given.items())


async def test_a_list_has_20_rows_unless_told_otherwise_and_its_last_page_has_no_cursor(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    customer = await a_customer(customers)
    ids = written(database, customer, "CREATED", [NOON] * 40)

    first = (await orders.get(f"/orders?customer_id={customer['id']}")).json
    second = (
        await orders.get(f"/orders?customer_id={customer['id']}&cursor={first['next_cursor']}")
    ).json

    assert [row["id"] for row in first["data"] + second["data"]] == ids[::-1]
    assert len(first["data"]) == 20
    assert second["next_cursor"] is None


@pytest.mark.parametrize("limit", [1, 7, 50, 100])
@pytest.mark.parametrize("filters", ["", "&status=CREATED", "&from=2024-02-29&to=2024-03-01"])
async def test_orders_of_the_same_moment_are_shown_once_each(
    orders: Api, customers: Api, database: TestDatabase, limit: int, filters: str
) -> None:
    customer = await a_customer(customers)
    moments = [NOON] * 60 + [NOON + timedelta(milliseconds=1)] * 3 + [NOON] * 2
    ids = written(database, customer, "CREATED", moments)
    expected = [*ids[62:59:-1], *ids[:62:-1], *ids[59::-1]]

    shown = await orders.pages(f"/orders?limit={limit}&customer_id={customer['id']}{filters}")

    assert [row["id"] for row in shown] == expected


async def test_pages_without_a_filter_by_customer_show_orders_of_the_same_moment_once(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    # A day of its own, at which no other test has orders.
    moment = datetime(2021, 5, 17, 9)
    customer = await a_customer(customers)
    ids = written(database, customer, "CREATED", [moment] * 25)
    mixed = written(database, customer, "CANCELED", [moment] * 25)
    day = "from=2021-05-17&to=2021-05-18"

    everything = await orders.pages(f"/orders?limit=6&{day}")
    canceled = await orders.pages(f"/orders?limit=6&{day}&status=CANCELED")

    assert [row["id"] for row in everything] == [*mixed[::-1], *ids[::-1]]
    assert [row["id"] for row in canceled] == mixed[::-1]


@pytest.mark.parametrize("status", [None, "CREATED"])
async def test_following_cursors_shows_every_order_once_while_others_come_and_go(
    orders: Api, customers: Api, status: str | None
) -> None:
    plan = random_plan()
    customer, product = await a_customer(customers), await a_product(orders)
    taken = [await an_order(orders, customer, (product, 1)) for _ in range(20)]
    staying, going = taken[::2], taken[1::2]
    asked = f"/orders?limit=3&{query(customer_id=customer['id'], status=status)}"
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await orders.get(asked + cursor)).json
        seen += [row["id"] for row in page["data"]]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
        if going:
            gone = going.pop(plan.randrange(len(going)))
            await asyncio.gather(an_order(orders, customer, (product, 1)), cancel(orders, gone))

    assert [seen.count(order["id"]) for order in staying] == [1] * len(staying)
    assert len(set(seen)) == len(seen)
    assert seen == sorted(seen, reverse=True)


async def test_a_cursor_goes_on_where_it_was_even_if_that_order_has_left_the_list(
    orders: Api, customers: Api
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    taken = [await an_order(orders, customer, (product, 1)) for _ in range(4)]
    asked = f"/orders?status=CREATED&limit=2&customer_id={customer['id']}"
    first = (await orders.get(asked)).json
    for order in taken[2:]:
        await cancel(orders, order)

    second = (await orders.get(f"{asked}&cursor={first['next_cursor']}")).json

    assert [row["id"] for row in second["data"]] == [taken[1]["id"], taken[0]["id"]]
    assert second["next_cursor"] is None
