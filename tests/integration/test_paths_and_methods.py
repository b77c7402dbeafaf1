"""Paths and methods: what lives where, and how everything else is refused."""

import itertools

import pytest

from tests.apis import Api
from tests.builders import a_customer, a_product
from tests.integration.raw_http import answer_to

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
OF_NOBODY = ["TRACE", "CONNECT", "PROPFIND", "FOO", "get"]

CUSTOMERS_PATHS = {
    "/customers": {"GET", "HEAD", "POST"},
    "/customers/1": {"GET", "HEAD", "PUT", "DELETE"},
    "/internal/customers/1": {"GET", "HEAD"},
}
ORDERS_PATHS = {
    "/products": {"GET", "HEAD", "POST"},
    "/products/1": {"GET", "HEAD", "PATCH"},
    "/orders": {"GET", "HEAD", "POST"},
    "/orders/1": {"GET", "HEAD"},
    "/orders/1/confirm": {"POST"},
    "/orders/1/cancel": {"POST"},
}
OPERATIONS = {
    path: {"GET", "HEAD"}
    for path in (
        "/health",
        "/health/live",
        "/metrics",
        "/openapi.json",
        "/docs",
        "/docs/",
        "/docs/swagger-ui.css",
    )
}


@pytest.mark.parametrize("method", METHODS + OF_NOBODY)
async def test_a_method_that_a_path_does_not_know_is_refused_with_those_that_it_does(
    customers: Api, orders: Api, method: str
) -> None:
    for api, paths in (
        (customers, CUSTOMERS_PATHS | OPERATIONS),
        (orders, ORDERS_PATHS | OPERATIONS),
    ):
        for path, allowed in paths.items():
            if method in allowed:
                continue
            answer = await answer_to(api, f"{method} {path}")
            assert answer.status == 405, path
            assert set(answer.headers["Allow"].split(", ")) == allowed, path
            if method != "HEAD":
                assert answer.code == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/customer",
        "/customers/",
        "/customers/1/",
        "/customers/1/orders",
        "/Customers",
        "//customers",
        "/internal",
        "/internal/customers",
        "/orders/1/ship",
        "/orders/1/confirm/",
        "/products/",
        "/docs/../openapi.json",
        "/docs/x/y",
        "/health/",
        "/favicon.ico",
        "/%ff",
        "/.env",
    ],
)
async def test_where_nothing_lives_nothing_is_found_whatever_is_asked(
    customers: Api, orders: Api, path: str
) -> None:
    for api, method in itertools.product((customers, orders), METHODS + OF_NOBODY):
        answer = await answer_to(api, f"{method} {path}", "X-Correlation-Id: lost-1")
        assert answer.status == 404, method
        assert answer.headers["X-Correlation-Id"] == "lost-1"
        if method != "HEAD":
            assert answer.code == "NOT_FOUND"


@pytest.mark.parametrize("asset", ["x", "..%2fopenapi.json", "%2e%2e", "swagger-ui.css.map", "%ff"])
async def test_only_the_pages_own_assets_are_served(customers: Api, asset: str) -> None:
    answer = await answer_to(customers, f"GET /docs/{asset}")

    assert (answer.status, answer.code) == (404, "NOT_FOUND")


BAD_IDS = [
    "0",
    "00",
    "-1",
    "+1",
    "01",
    "abc",
    "1a",
    "1.0",
    "1e3",
    "0x1",
    "1_000",
    "1,2",
    "%20",
    "1%20",
    "1%0a",
    "%00",
    "1%2f1",
    "%d9%a1",  # an Arabic one
    "%ef%bc%91",  # a wide one
    "%ff",
    "%c3%28",
    "null",
    "1;DROP",
    "'",
]


@pytest.mark.parametrize("bad_id", BAD_IDS)
async def test_what_is_no_positive_integer_names_nothing(
    customers: Api, orders: Api, bad_id: str
) -> None:
    for api, start in (
        (customers, f"GET /customers/{bad_id}"),
        (customers, f"PUT /customers/{bad_id}"),
        (customers, f"DELETE /customers/{bad_id}"),
        (orders, f"GET /products/{bad_id}"),
        (orders, f"PATCH /products/{bad_id}"),
        (orders, f"GET /orders/{bad_id}"),
        (orders, f"POST /orders/{bad_id}/confirm"),
        (orders, f"POST /orders/{bad_id}/cancel"),
    ):
        answer = await answer_to(api, start)
        assert (answer.status, answer.code) == (404, "NOT_FOUND"), start


@pytest.mark.parametrize(
    "number",
    [
        "999999999999999999",
        str(2**63 - 1),
        str(2**63),
        str(2**64),
        "9" * 20,
        "1" + "0" * 4999,
    ],
    ids=lambda number: f"{number[:4]}… of {len(number)} digits",
)
async def test_an_id_that_no_row_has_is_answered_with_the_resources_own_code(
    customers: Api, orders: Api, number: str
) -> None:
    for api, method, path, code in (
        (customers, "GET", "/customers", "CUSTOMER_NOT_FOUND"),
        (customers, "DELETE", "/customers", "CUSTOMER_NOT_FOUND"),
        (orders, "GET", "/products", "PRODUCT_NOT_FOUND"),
        (orders, "GET", "/orders", "ORDER_NOT_FOUND"),
    ):
        answer = await api.call(method, f"{path}/{number}")
        assert (answer.status, answer.code) == (404, code)


async def test_an_id_may_be_written_in_percent(customers: Api) -> None:
    customer = await a_customer(customers)
    # RFC 3986, section 2.3: the same address.
    escaped = "".join(f"%{ord(digit):x}" for digit in str(customer["id"]))

    answer = await answer_to(customers, f"GET /customers/{escaped}")

    assert (answer.status, answer.json) == (200, customer)


async def test_head_answers_as_get_does_without_the_body(customers: Api, orders: Api) -> None:
    customer, product = await a_customer(customers), await a_product(orders)

    for api, path in (
        (customers, f"/customers/{customer['id']}"),
        (orders, f"/products/{product['id']}"),
        (customers, "/openapi.json"),
        (customers, "/docs/swagger-ui.css"),
        (customers, "/health"),
    ):
        get, head = await answer_to(api, f"GET {path}"), await answer_to(api, f"HEAD {path}")
        assert (get.status, head.status, head.body) == (200, 200, b"")
        for name in ("Content-Length", "Content-Type", "ETag"):
            assert head.headers.get(name) == get.headers.get(name), name


@pytest.mark.parametrize("path", ["/customers/0", "/customers/999999999999", "/nowhere"])
async def test_head_of_what_is_not_there_has_no_body_either(customers: Api, path: str) -> None:
    answer = await answer_to(customers, f"HEAD {path}")

    assert (answer.status, answer.body) == (404, b"")
    assert answer.headers["Content-Type"] == "application/problem+json"
