"""The list of orders: its filters and its moments."""

import itertools
from datetime import datetime, timedelta

import pytest

from service_kit.clock import rfc3339
from tests.apis import Api
from tests.builders import a_customer, a_product, an_order
from tests.database_servers import TestDatabase
from tests.integration.order_calls import cancel, confirm, pointers, refusal
from tests.integration.past_orders import NOON, written


async def listed(orders: Api, query: str) -> list[int]:
    """Return the ids of the orders that a query shows, in the order of the list."""
    return [row["id"] for row in await orders.pages(f"/orders?limit=100&{query}")]


def query(**parameters: object) -> str:
    """Write a query, without the parameters that are None."""
    given = {name.rstrip("_"): value for name, value in parameters.items() if value is not None}
    return "&".join(f"{name}={value}" for name, value in given.items())


async def test_a_list_shows_orders_newest_first_without_their_items(
    orders: Api, customers: Api
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    taken = [await an_order(orders, customer, (product, 1)) for _ in range(3)]
    taken[1] = (await confirm(orders, taken[1])).json
    taken[2] = (await cancel(orders, taken[2])).json

    answer = await orders.get(f"/orders?customer_id={customer['id']}")

    assert answer.status == 200
    for order in taken:
        del order["items"]
    assert answer.json == {"data": taken[::-1], "next_cursor": None}


async def test_the_newest_of_all_orders_come_first_without_any_filter(
    orders: Api, customers: Api
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    taken = [await an_order(orders, customer, (product, 1)) for _ in range(3)]

    newest = (await orders.get("/orders?limit=3")).json["data"]

    assert [row["id"] for row in newest] == [order["id"] for order in taken[::-1]]


async def test_every_combination_of_filters_shows_just_the_orders_that_fit(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    one, other = await a_customer(customers), await a_customer(customers)
    moments = [NOON + timedelta(milliseconds=step) for step in (-1, 0, 0, 1, 999, 1000, 1001)]
    there: dict[int, tuple[int, str, datetime]] = {}
    for customer, status in itertools.product((one, other), ("CREATED", "CONFIRMED", "CANCELED")):
        ids = written(database, customer, status, moments)
        for order_id, moment in zip(ids, moments, strict=True):
            there[order_id] = (customer["id"], status, moment)

    for customer_id, status, start, end in itertools.product(
        (None, one["id"]),
        (None, "CREATED", "CONFIRMED", "CANCELED"),
        (None, NOON, NOON + timedelta(seconds=1)),
        (None, NOON, NOON + timedelta(seconds=1)),
    ):
        if start and end and start > end:
            continue
        expected = [
            order_id
            for order_id, (whose, what, when) in there.items()
            if customer_id in (None, whose)
            and status in (None, what)
            and (start is None or start <= when)
            and (end is None or when < end)
        ]
        expected.sort(key=lambda order_id: (there[order_id][2], order_id), reverse=True)
        asked = query(
            customer_id=customer_id,
            status=status,
            from_=start and rfc3339(start),
            to=end and rfc3339(end),
        )
        shown = [order_id for order_id in await listed(orders, asked) if order_id in there]
        assert shown == expected, asked
        if customer_id is not None:
            assert shown == await listed(orders, asked), asked


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("2024-02-29T12:00:00Z", 0),
        ("2024-02-29t12:00:00z", 0),
        ("2024-02-29T12:00:00.0Z", 0),
        ("2024-02-29T12:00:00%2B00:00", 0),
        ("2024-02-29T12:00:00-00:00", 0),
        ("2024-02-29T14:30:00%2B02:30", 0),
        ("2024-02-28T23:00:00-13:00", 0),
        ("2024-03-01T01:59:59.999%2B14:00", -1),
        ("2024-02-29T12:00:00.001Z", 1),
        ("2024-02-29T12:00:00.001000000000Z", 1),
        # Between two milliseconds: what was created at the earlier one was created before it.
        ("2024-02-29T12:00:00.0000001Z", 1),
        ("2024-02-29T11:59:59.9995Z", 0),
    ],
)
async def test_from_is_inclusive_and_to_is_exclusive_at_any_spelling_of_a_moment(
    orders: Api, customers: Api, database: TestDatabase, text: str, step: int
) -> None:
    customer = await a_customer(customers)
    moments = [NOON + timedelta(milliseconds=number) for number in range(-3, 4)]
    ids = dict(zip(range(-3, 4), written(database, customer, "CREATED", moments), strict=True))

    after = await listed(orders, query(customer_id=customer["id"], from_=text))
    before = await listed(orders, query(customer_id=customer["id"], to=text))

    assert after == [ids[number] for number in range(3, step - 1, -1)]
    assert before == [ids[number] for number in range(step - 1, -4, -1)]


async def test_a_date_is_its_midnight_in_utc(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    customer = await a_customer(customers)
    midnight = datetime(2024, 2, 29)
    day = timedelta(days=1)
    millisecond = timedelta(milliseconds=1)
    moments = [midnight - millisecond, midnight, midnight + day - millisecond, midnight + day]
    _, first, last, _ = written(database, customer, "CREATED", moments)

    asked = query(customer_id=customer["id"], from_="2024-02-29", to="2024-03-01")

    assert await listed(orders, asked) == [last, first]


async def test_nothing_lies_between_a_moment_and_itself(orders: Api, customers: Api) -> None:
    customer = await a_customer(customers)
    order = await an_order(orders, customer, (await a_product(orders), 1))
    moment = order["created_at"]

    assert await listed(orders, f"from={moment}&to={moment}&customer_id={customer['id']}") == []
    assert await listed(orders, f"from={moment}&customer_id={customer['id']}") == [order["id"]]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2024-03-01", "2024-02-29"),
        ("2024-02-29T12:00:00.001Z", "2024-02-29T12:00:00Z"),
        ("2024-02-29T12:00:00Z", "2024-02-29T13:00:00%2B02:00"),
    ],
)
async def test_from_after_to_is_refused(orders: Api, start: str, end: str) -> None:
    assert pointers(await orders.get(f"/orders?from={start}&to={end}")) == ["/from"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2024-02-30",
        "2023-02-29",
        "2024-2-9",
        "20240229",
        "2024-W09-4",
        "2024-02-29T12:00",
        "2024-02-29T12:00:00",
        "2024-02-29 12:00:00Z",
        "2024-02-29T12:00:00+02:00",  # the + is a blank in a query
        "2024-02-29T25:00:00Z",
        "2024-02-29T12:60:00Z",
        "2024-02-29T12:00:00.Z",
        "2024-02-29T12:00:00%2B2400",
        "2024-02-29T12:00:00%2B24:00",
        "2024-02-29T12:00:00%2B02:60",
        "0001-01-01T00:00:00%2B01:00",
        "9999-12-31T23:59:59-01:00",
        "0000-01-01",
        "10000-01-01",
        "1709208000",
        "%D9%A2024-02-29",
        "2024-02-29%0A",
        "x" * 65,
    ],
)
@pytest.mark.parametrize("name", ["from", "to"])
async def test_what_is_no_moment_is_refused(orders: Api, name: str, text: str) -> None:
    assert pointers(await orders.get(f"/orders?{name}={text}")) == [f"/{name}"]


async def test_the_first_and_the_last_day_of_the_calendar_are_moments(orders: Api) -> None:
    assert (await orders.get("/orders?from=0001-01-01&to=9999-12-31&limit=1")).status == 200
    assert await listed(orders, "to=0001-01-01T00:00:00Z") == []
    assert await listed(orders, "from=9999-12-31T23:59:59.999Z") == []


async def test_two_moments_that_are_none_are_told_at_once(orders: Api) -> None:
    assert pointers(await orders.get("/orders?from=yesterday&to=today")) == ["/from", "/to"]


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ("status=created", "/status"),
        ("status=SHIPPED", "/status"),
        ("status=", "/status"),
        ("status=CREATED&status=CANCELED", "/status"),
        ("customer_id=0", "/customer_id"),
        ("customer_id=-1", "/customer_id"),
        ("customer_id=abc", "/customer_id"),
        ("customer_id=", "/customer_id"),
        ("customer_id=1.0", "/customer_id"),
        ("customer_id=1&customer_id=1", "/customer_id"),
    ],
)
async def test_a_wrong_parameter_is_refused(orders: Api, asked: str, wrong: str) -> None:
    assert pointers(await orders.get(f"/orders?{asked}")) == [wrong]


async def test_all_wrong_parameters_are_told_at_once(orders: Api) -> None:
    assert pointers(await orders.get("/orders?limit=x&status=x&customer_id=x&sort=x")) == [
        "/customer_id",
        "/limit",
        "/sort",
        "/status",
    ]


@pytest.mark.parametrize(
    "number",
    [str(2**62), str(2**63), str(2**64), "9" * 19, "9" * 300, "9" * 5000],
    ids=lambda number: f"{number[:4]}… of {len(number)} digits",
)
async def test_a_customer_without_orders_has_an_empty_list(orders: Api, number: str) -> None:
    answer = await orders.get(f"/orders?customer_id={number}")

    assert (answer.status, answer.json) == (200, {"data": [], "next_cursor": None})


async def test_a_list_needs_a_token(orders: Api) -> None:
    assert refusal(await orders.called_with(None).get("/orders")) == (401, "UNAUTHORIZED")
