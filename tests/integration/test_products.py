"""Products: what can be ordered, at which price, and how many units there are."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from tests.apis import Api
from tests.builders import a_product, unique
from tests.database_servers import TestDatabase
from tests.integration.order_calls import MOMENT, patch, pointers, refusal

LARGEST_PRICE = 1_000_000_000_000
LARGEST_STOCK = 1_000_000_000


def a_product_input(**details: Any) -> dict[str, Any]:
    """Return what a client sends to make a product."""
    return {"sku": unique("SKU"), "name": "Laptop", "price_cents": 129900, "stock": 5, **details}


async def test_a_new_product_is_answered_with_its_place_and_its_tag(orders: Api) -> None:
    sent = a_product_input()

    answer = await orders.post("/products", sent)

    assert answer.status == 201
    product = answer.json
    assert answer.headers["Location"] == f"/products/{product['id']}"
    assert answer.headers["ETag"].startswith('"')
    assert product == {
        "id": product["id"],
        **sent,
        "created_at": product["created_at"],
        "updated_at": product["created_at"],
    }
    assert MOMENT.fullmatch(product["created_at"])
    read = await orders.get(f"/products/{product['id']}")
    assert (read.status, read.body, read.headers["ETag"]) == (
        200,
        answer.body,
        answer.headers["ETag"],
    )


@pytest.mark.parametrize("number", [2**62, 2**63 - 1, 2**63, 10**20])
async def test_a_product_that_does_not_exist_is_not_found(orders: Api, number: int) -> None:
    read = await orders.get(f"/products/{number}")
    changed = await patch(orders, {"id": number}, {"stock": 1})

    assert refusal(read) == (404, "PRODUCT_NOT_FOUND")
    assert refusal(changed) == (404, "PRODUCT_NOT_FOUND")


@pytest.mark.parametrize("number", ["0", "-1", "1.0", "abc", "+1", "%31x", "01", "%D9%A1"])
async def test_what_is_no_id_is_not_found_anywhere(orders: Api, number: str) -> None:
    answer = await orders.get(f"/products/{number}")

    assert refusal(answer) == (404, "NOT_FOUND")


@pytest.mark.parametrize("sku", ["a", "A.b_c-9", "-", "x" * 64])
async def test_a_sku_is_kept_as_it_was_given(orders: Api, database: TestDatabase, sku: str) -> None:
    # These are no unique words: whoever took them before makes room.
    database.query("UPDATE products SET sku = CONCAT('was-', id) WHERE sku_key = LOWER(%s)", sku)

    assert (await a_product(orders, sku=sku))["sku"] == sku


@pytest.mark.parametrize("sku", ["", " ", "x" * 65, "a b", "a/b", "ñ", "a\n.b", "a\x00", "٣"])
async def test_a_sku_has_1_to_64_letters_digits_and_dot_underscore_hyphen(
    orders: Api, sku: str
) -> None:
    assert pointers(await orders.post("/products", a_product_input(sku=sku))) == ["/sku"]


async def test_texts_are_trimmed_and_put_in_nfc(orders: Api) -> None:
    sku = unique("SKU")

    product = await a_product(orders, sku=f" {sku}\n", name="\u2003Cafe\u0301 \t")

    assert (product["sku"], product["name"]) == (sku, "Café")


async def test_a_sku_is_unique_with_its_case_aside(orders: Api) -> None:
    first = await a_product(orders, sku=unique("Sku.a_b-"))

    for sku in (first["sku"], first["sku"].upper(), first["sku"].lower()):
        answer = await orders.post("/products", a_product_input(sku=sku))
        assert refusal(answer) == (409, "SKU_TAKEN")


async def test_a_sku_that_differs_by_more_than_case_is_another(orders: Api) -> None:
    sku = unique("SKU")

    for similar in (sku, f"{sku}.", f"{sku}-", f"-{sku}", f"{sku}_"):
        assert (await a_product(orders, sku=similar))["sku"] == similar


async def test_of_20_at_once_one_gets_the_sku(orders: Api, database: TestDatabase) -> None:
    sku = unique("sku")
    spellings = [sku.upper() if number % 2 else sku for number in range(20)]

    answers = await asyncio.gather(
        *(orders.post("/products", a_product_input(sku=spelling)) for spelling in spellings)
    )

    assert Counter(answer.status for answer in answers) == {201: 1, 409: 19}
    assert {answer.code for answer in answers if answer.status == 409} == {"SKU_TAKEN"}
    assert database.query("SELECT COUNT(*) FROM products WHERE sku_key = %s", sku) == [(1,)]


async def test_price_and_stock_may_be_at_their_bounds(orders: Api) -> None:
    free = await a_product(orders, price_cents=0, stock=0)
    dear = await a_product(orders, price_cents=LARGEST_PRICE, stock=LARGEST_STOCK)

    assert (free["price_cents"], free["stock"]) == (0, 0)
    assert (dear["price_cents"], dear["stock"]) == (LARGEST_PRICE, LARGEST_STOCK)


@pytest.mark.parametrize("name", ["price_cents", "stock"])
@pytest.mark.parametrize("wrong", [-1, LARGEST_PRICE + 1, 10**30, 1.5, "1", True, None, [1]])
async def test_price_and_stock_are_integers_within_their_bounds(
    orders: Api, name: str, wrong: Any
) -> None:
    assert pointers(await orders.post("/products", a_product_input(**{name: wrong}))) == [
        f"/{name}"
    ]


async def test_a_stock_past_its_bound_is_refused(orders: Api) -> None:
    product = await a_product(orders)
    too_many = {"stock": LARGEST_STOCK + 1}

    assert pointers(await orders.post("/products", a_product_input(**too_many))) == ["/stock"]
    assert pointers(await patch(orders, product, too_many)) == ["/stock"]


async def test_a_whole_float_is_the_integer(orders: Api) -> None:
    answer = await orders.post("/products", a_product_input(price_cents=100.0, stock=7.0))

    assert answer.status == 201
    assert b'"price_cents":100,' in answer.body
    assert b'"stock":7,' in answer.body


async def test_all_that_is_wrong_with_a_product_is_told_at_once(orders: Api) -> None:
    wrong = {"sku": "a b", "name": " ", "price_cents": -1, "color": "red"}

    assert pointers(await orders.post("/products", wrong)) == [
        "/color",
        "/name",
        "/price_cents",
        "/sku",
        "/stock",
    ]


async def test_a_refused_product_leaves_no_row(orders: Api, database: TestDatabase) -> None:
    taken = await a_product(orders)
    rows = "SELECT (SELECT COUNT(*) FROM products), (SELECT COUNT(*) FROM product_terms)"
    before = database.query(rows)

    await orders.post("/products", a_product_input(sku=taken["sku"], name="Never seen"))
    await orders.post("/products", a_product_input(stock=-1))

    assert database.query(rows) == before
