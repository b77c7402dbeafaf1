"""What the fields of a body may hold, and how all that does not fit is told at once."""

import unicodedata
from typing import Any

import pytest

from tests.apis import Answer, Api
from tests.builders import a_customer, a_product, unique

CONTROL_CHARACTERS = ["\x00", "\x07", "\t", "\n", "\r", "\x1b", "\x1f", "\x7f", "\x80", "\x9f"]


def a_customers_details(**changes: Any) -> dict[str, Any]:
    return {"name": "ACME", "email": f"{unique('ops')}@acme.com", "phone": None, **changes}


def a_products_details(**changes: Any) -> dict[str, Any]:
    return {"sku": unique("SKU-"), "name": "Laptop", "price_cents": 1, "stock": 1, **changes}


def pointers_of(answer: Answer) -> list[str]:
    assert (answer.status, answer.code) == (422, "VALIDATION_FAILED")
    assert all(set(error) == {"pointer", "detail"} for error in answer.json["errors"])
    return [error["pointer"] for error in answer.json["errors"]]


async def test_all_that_is_wrong_with_a_customer_is_told_at_once(customers: Api) -> None:
    answer = await customers.post(
        "/customers", {"name": "", "email": "nobody", "phone": 5, "fax": "1", "id": 7}
    )

    assert set(pointers_of(answer)) == {"/name", "/email", "/phone", "/fax", "/id"}


async def test_all_that_is_missing_is_told_at_once(customers: Api, orders: Api) -> None:
    assert set(pointers_of(await customers.post("/customers", {}))) == {"/name", "/email"}
    assert set(pointers_of(await orders.post("/products", {}))) == {
        "/sku",
        "/name",
        "/price_cents",
        "/stock",
    }
    assert set(pointers_of(await orders.post("/orders", {}))) == {"/customer_id", "/items"}


async def test_all_that_is_wrong_with_an_orders_lines_is_told_at_once(orders: Api) -> None:
    answer = await orders.post(
        "/orders",
        {
            "customer_id": 0,
            "items": [
                {"product_id": -1, "qty": 0},
                {"product_id": "1", "qty": 1_000_001, "price": 1},
                "laptop",
                {},
            ],
        },
    )

    assert set(pointers_of(answer)) == {
        "/customer_id",
        "/items/0/product_id",
        "/items/0/qty",
        "/items/1/product_id",
        "/items/1/qty",
        "/items/1/price",
        "/items/2",
        "/items/3/product_id",
        "/items/3/qty",
    }


async def test_a_field_that_nobody_knows_is_refused_by_its_escaped_name(customers: Api) -> None:
    answer = await customers.post("/customers", a_customers_details(**{"a/b~c": 1, "": 2}))

    assert set(pointers_of(answer)) == {"/a~1b~0c", "/"}


@pytest.mark.parametrize("value", [True, False, "1", 1.5, None, [1], {"value": 1}])
async def test_only_a_number_without_fraction_is_an_integer(orders: Api, value: Any) -> None:
    answer = await orders.post("/products", a_products_details(price_cents=value, stock=value))

    assert set(pointers_of(answer)) == {"/price_cents", "/stock"}


async def test_an_integer_may_be_written_with_a_point_or_an_exponent(orders: Api) -> None:
    body = b'{"sku": "%b", "name": "A", "price_cents": 1.0, "stock": 1E2}'

    answer = await orders.call("POST", "/products", data=body % unique("A-").encode())

    assert answer.status == 201
    assert b'"price_cents":1,' in answer.body
    assert answer.json["stock"] == 100


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price_cents", -1),
        ("price_cents", 1_000_000_000_001),
        ("price_cents", 2**63),
        ("price_cents", 2**64),
        ("price_cents", 1e300),
        ("stock", -1),
        ("stock", 1_000_000_001),
        ("stock", -(2**70)),
    ],
)
async def test_a_number_past_its_bounds_is_refused(orders: Api, field: str, value: float) -> None:
    answer = await orders.post("/products", a_products_details(**{field: value}))

    assert pointers_of(answer) == [f"/{field}"]


@pytest.mark.parametrize("number", [2**63 - 1, 2**63, 2**64, 10**20, 1e300])
async def test_an_id_past_the_databases_range_is_one_that_no_row_has(
    customers: Api, orders: Api, number: float
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    line = {"product_id": product["id"], "qty": 1}
    no_customer = {"customer_id": number, "items": [line]}
    no_product = {"customer_id": customer["id"], "items": [{"product_id": number, "qty": 1}]}

    for value, code in ((no_customer, "CUSTOMER_NOT_FOUND"), (no_product, "PRODUCT_NOT_FOUND")):
        answer = await orders.post("/orders", value, X_Idempotency_Key=unique("key"))
        assert (answer.status, answer.code) == (404, code)


@pytest.mark.parametrize(
    "written",
    [" ACME ", "\tACME\r\n", "\u00a0ACME\u3000", "\u2003ACME\u2028", "\x85ACME\n"],
    ids=ascii,
)
async def test_white_space_around_a_text_is_trimmed(customers: Api, written: str) -> None:
    customer = await a_customer(customers, name=written, phone=f"{written[0]} 12345 ")

    assert (customer["name"], customer["phone"]) == ("ACME", "12345")


@pytest.mark.parametrize("blank", ["", " ", "\u3000\t\n"], ids=ascii)
async def test_a_text_of_white_space_alone_is_empty(
    customers: Api, orders: Api, blank: str
) -> None:
    answer = await customers.post("/customers", a_customers_details(name=blank, phone=blank))

    assert set(pointers_of(answer)) == {"/name", "/phone"}
    assert set(
        pointers_of(await orders.post("/products", a_products_details(sku=blank, name=blank)))
    ) == {"/sku", "/name"}


@pytest.mark.parametrize(
    "written", ["Cafe\u0301", "Caf\u00e9", "A\u030angstro\u0308m", "\u1112\u1161\u11ab"], ids=ascii
)
async def test_a_text_is_kept_in_nfc(customers: Api, orders: Api, written: str) -> None:
    kept = unicodedata.normalize("NFC", written)

    assert (await a_customer(customers, name=written))["name"] == kept
    assert (await a_product(orders, name=written))["name"] == kept


@pytest.mark.parametrize(
    "name",
    [
        "x" * 200,
        "😀" * 200,
        "e\u0301" * 200,
        f"  {'x' * 200}  ",
        "👨‍👩‍👧‍👦" * 28,
        'O\'Brien \\ "Söhne" <b>%_;--',
        "بسم الله",
        "\u200b",
    ],
    ids=lambda name: ascii(name[:8]),
)
async def test_a_name_of_1_to_200_code_points_is_kept_as_it_is(
    customers: Api, orders: Api, name: str
) -> None:
    kept = unicodedata.normalize("NFC", name.strip())

    customer, product = await a_customer(customers, name=name), await a_product(orders, name=name)

    assert (await customers.get(f"/customers/{customer['id']}")).json["name"] == kept
    assert (await orders.get(f"/products/{product['id']}")).json["name"] == kept


@pytest.mark.parametrize(
    "name",
    ["x" * 201, "😀" * 201, "e\u0301" * 201, "👨‍👩‍👧‍👦" * 29, "\ufb2c" * 67, "x" * 1_000_000],
    ids=lambda name: ascii(name[:8]),
)
async def test_a_longer_name_is_refused(customers: Api, orders: Api, name: str) -> None:
    assert pointers_of(await customers.post("/customers", a_customers_details(name=name))) == [
        "/name"
    ]
    assert pointers_of(await orders.post("/products", a_products_details(name=name))) == ["/name"]


@pytest.mark.parametrize("control", CONTROL_CHARACTERS, ids=ascii)
async def test_a_control_character_in_a_text_is_refused(
    customers: Api, orders: Api, control: str
) -> None:
    text = f"1{control}2345"

    answer = await customers.post(
        "/customers", a_customers_details(name=text, email=f"{text}@acme.com", phone=text)
    )
    assert set(pointers_of(answer)) == {"/name", "/email", "/phone"}
    answer = await orders.post("/products", a_products_details(sku=text, name=text))
    assert set(pointers_of(answer)) == {"/sku", "/name"}


async def test_a_control_character_that_is_no_white_space_is_not_trimmed_away(
    customers: Api,
) -> None:
    answer = await customers.post("/customers", a_customers_details(name="ACME\x1f"))

    assert pointers_of(answer) == ["/name"]


async def test_what_is_wrong_is_told_in_words_that_hold_nothing_of_the_inside(
    customers: Api,
) -> None:
    answer = await customers.post("/customers", a_customers_details(name="", email="x", extra=1))

    for inside in (b"SELECT", b"Traceback", b"jsonschema", b"x-rule", b".py"):
        assert inside not in answer.body
    details = {error["pointer"]: error["detail"] for error in answer.json["errors"]}
    assert details["/email"].startswith("must be an e-mail address")
    assert details["/extra"] == "is not known here"
