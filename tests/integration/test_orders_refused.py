"""Orders that are refused, and of which nothing stays."""

from typing import Any

import pytest

from tests.apis import Api
from tests.builders import a_customer, a_product, an_order, lines, stock_of, unique
from tests.database_servers import TestDatabase
from tests.integration.order_calls import (
    cancel,
    confirm,
    create,
    pointers,
    refusal,
)
from tests.integration.order_facts import rows, stocks

LARGEST_TOTAL = 2**53 - 1
UNHEARD_OF = {"2**62": 2**62, "2**63": 2**63, "2**64": 2**64, "10**30": 10**30, "10**300": 10**300}


async def test_lines_that_only_together_are_too_many_are_refused(
    orders: Api, customers: Api
) -> None:
    product = await a_product(orders, stock=10)

    answer = await create(
        orders, (await a_customer(customers))["id"], lines((product, 6), (product, 5))
    )

    assert refusal(answer) == (409, "INSUFFICIENT_STOCK")
    assert answer.json["errors"] == [
        {"product_id": product["id"], "requested": 11, "available": 10}
    ]
    assert await stock_of(orders, product) == 10


@pytest.mark.parametrize("lines_given", [0, 101])
async def test_an_order_has_1_to_100_lines(orders: Api, lines_given: int) -> None:
    assert pointers(await create(orders, 1, [{"product_id": 1, "qty": 1}] * lines_given)) == [
        "/items"
    ]


@pytest.mark.parametrize("wrong", [0, -1, 1_000_001, 10**30, 1.5, "1", True, None, [1], {}])
async def test_a_quantity_is_an_integer_from_1_to_a_million(orders: Api, wrong: Any) -> None:
    items = [{"product_id": 1, "qty": 1}, {"product_id": 1, "qty": wrong}]

    assert pointers(await create(orders, 1, items)) == ["/items/1/qty"]


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "1", True, None])
async def test_ids_are_positive_integers(orders: Api, wrong: Any) -> None:
    assert pointers(await create(orders, wrong, [{"product_id": wrong, "qty": 1}])) == [
        "/customer_id",
        "/items/0/product_id",
    ]


async def test_all_that_is_wrong_with_an_order_is_told_at_once(orders: Api) -> None:
    wrong = {
        "customer": 1,
        "items": [{"product_id": 1, "qty": 0, "price": 1}, {"qty": "x"}, 7, {"product_id": 1}],
        "note": None,
    }

    assert pointers(await orders.post("/orders", wrong)) == [
        "/customer",
        "/customer_id",
        "/items/0/price",
        "/items/0/qty",
        "/items/1/product_id",
        "/items/1/qty",
        "/items/2",
        "/items/3/qty",
        "/note",
    ]


@pytest.mark.parametrize("value", [[], "order", 1, None, True])
async def test_an_order_is_an_object(orders: Api, value: Any) -> None:
    answer = await orders.call(
        "POST", "/orders", data=b"null" if value is None else None, value=value,
        Content_Type="application/json",
    )  # fmt: skip

    assert pointers(answer) == [""]


@pytest.mark.parametrize("data", [b"", b"{", b"{'a': 1}", b'{"customer_id": NaN}', b"\xff", b"1 2"])
async def test_a_body_that_is_not_json_is_refused(orders: Api, data: bytes) -> None:
    answer = await orders.call("POST", "/orders", data=data, Content_Type="application/json")

    assert refusal(answer) == (400, "INVALID_JSON")


@pytest.mark.parametrize("number", UNHEARD_OF.values(), ids=UNHEARD_OF)
async def test_a_customer_that_does_not_exist_is_not_found(orders: Api, number: int) -> None:
    product = await a_product(orders)

    answer = await create(orders, number, lines((product, 1)))

    assert refusal(answer) == (404, "CUSTOMER_NOT_FOUND")
    assert await stock_of(orders, product) == 100


async def test_a_deleted_customer_is_not_found_and_keeps_the_orders(
    orders: Api, customers: Api
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    order = await an_order(orders, customer, (product, 1))
    await customers.call("DELETE", f"/customers/{customer['id']}")

    answer = await create(orders, customer["id"], lines((product, 1)))

    assert refusal(answer) == (404, "CUSTOMER_NOT_FOUND")
    assert (await orders.get(f"/orders/{order['id']}")).json == order
    assert (await confirm(orders, order)).json["status"] == "CONFIRMED"


@pytest.mark.parametrize("key", [True, False])
@pytest.mark.parametrize("number", UNHEARD_OF.values(), ids=UNHEARD_OF)
async def test_a_product_that_does_not_exist_is_not_found_whatever_its_number(
    orders: Api, customers: Api, number: int, *, key: bool
) -> None:
    headers = {"X_Idempotency_Key": unique("key")} if key else {}

    answer = await create(
        orders,
        (await a_customer(customers))["id"],
        [{"product_id": number, "qty": 1}],
        **headers,
    )

    assert refusal(answer) == (404, "PRODUCT_NOT_FOUND")
    assert len(answer.json["errors"]) == 1


async def test_all_products_that_do_not_exist_are_told_before_any_that_is_short(
    orders: Api, customers: Api
) -> None:
    product = await a_product(orders, stock=0)
    items = [*lines((product, 1)), *({"product_id": 10**9 + n, "qty": 1} for n in (3, 1, 2, 1))]

    answer = await create(orders, (await a_customer(customers))["id"], items)

    assert refusal(answer) == (404, "PRODUCT_NOT_FOUND")
    assert answer.json["errors"] == [{"product_id": 10**9 + n} for n in (1, 2, 3)]


async def test_all_short_lines_are_told_with_what_there_is(orders: Api, customers: Api) -> None:
    products = [await a_product(orders, stock=stock) for stock in (0, 5, 2, 9)]

    answer = await create(
        orders,
        (await a_customer(customers))["id"],
        lines(*((product, 5) for product in reversed(products)), (products[3], 5)),
    )

    assert refusal(answer) == (409, "INSUFFICIENT_STOCK")
    assert answer.json["errors"] == [
        {"product_id": products[0]["id"], "requested": 5, "available": 0},
        {"product_id": products[2]["id"], "requested": 5, "available": 2},
        {"product_id": products[3]["id"], "requested": 10, "available": 9},
    ]


async def test_the_largest_total_is_that_which_every_reader_keeps_exactly(
    orders: Api, customers: Api
) -> None:
    customer = await a_customer(customers)
    thousand = await a_product(orders, price_cents=10**12, stock=10_000)
    rest = LARGEST_TOTAL - 9_007 * 10**12
    remainder = await a_product(orders, price_cents=rest, stock=10)
    cent = await a_product(orders, price_cents=1, stock=10)

    largest = await create(orders, customer["id"], lines((thousand, 9_007), (remainder, 1)))
    assert largest.status == 201
    assert largest.json["total_cents"] == LARGEST_TOTAL
    await cancel(orders, largest.json)

    one_more = await create(
        orders, customer["id"], lines((thousand, 9_007), (remainder, 1), (cent, 1))
    )
    assert refusal(one_more) == (422, "TOTAL_TOO_LARGE")
    assert await stock_of(orders, cent) == 10


async def test_a_total_past_every_column_is_too_large_as_well(orders: Api, customers: Api) -> None:
    product = await a_product(orders, price_cents=10**12, stock=10**9)

    answer = await create(
        orders, (await a_customer(customers))["id"], lines(*[(product, 1_000_000)] * 100)
    )

    assert refusal(answer) == (422, "TOTAL_TOO_LARGE")


async def test_nothing_stays_of_an_order_that_was_refused(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    customer = await a_customer(customers)
    plenty, short = await a_product(orders, stock=50), await a_product(orders, stock=1)
    dear = await a_product(orders, price_cents=10**12, stock=10**9)
    before = rows(database), stocks(database, [plenty, short, dear])
    refused = {
        (404, "CUSTOMER_NOT_FOUND"): (2**62, lines((plenty, 1))),
        (404, "PRODUCT_NOT_FOUND"): (
            customer["id"],
            [*lines((plenty, 1)), {"product_id": 2**62, "qty": 1}],
        ),
        (409, "INSUFFICIENT_STOCK"): (customer["id"], lines((plenty, 1), (short, 2))),
        (422, "TOTAL_TOO_LARGE"): (customer["id"], lines((plenty, 1), (dear, 10_000))),
        (422, "VALIDATION_FAILED"): (customer["id"], lines((plenty, 1), (plenty, 0))),
    }

    for expected, (customer_id, items) in refused.items():
        key = unique("key")
        assert refusal(await create(orders, customer_id, items, X_Idempotency_Key=key)) == expected

    assert (rows(database), stocks(database, [plenty, short, dear])) == before
