"""Who may call what: operators, viewers, services, and everybody else."""

from collections.abc import Callable
from typing import Any, cast

import aiohttp
import pytest

from tests.apis import JWT_SECRET, SERVICE_TOKEN, Answer, Api, token
from tests.builders import a_customer, a_product, an_order, unique
from tests.integration.credentials import BAD_CREDENTIALS, OTHER_SECRET, SHORT_FOR_HS512, now

Start = Callable[..., Api]

CUSTOMERS_READS = [("GET", "/customers"), ("HEAD", "/customers"), ("GET", "/customers/1")]
CUSTOMERS_WRITES = [("POST", "/customers"), ("PUT", "/customers/1"), ("DELETE", "/customers/1")]
INTERNAL = [("GET", "/internal/customers/1"), ("HEAD", "/internal/customers/1")]
ORDERS_READS = [
    ("GET", "/products"),
    ("GET", "/products/1"),
    ("HEAD", "/products/1"),
    ("GET", "/orders"),
    ("GET", "/orders/1"),
]
ORDERS_WRITES = [
    ("POST", "/products"),
    ("PATCH", "/products/1"),
    ("POST", "/orders"),
    ("POST", "/orders/1/confirm"),
    ("POST", "/orders/1/cancel"),
]
OPEN = [
    "/health",
    "/health/live",
    "/metrics",
    "/openapi.json",
    "/docs",
    "/docs/swagger-ui.css",
]


def assert_refused(answer: Answer, status: int, code: str, route: tuple[str, str]) -> None:
    """Check the refusal; one to HEAD has no body that could say its code."""
    assert answer.status == status, route
    assert answer.headers["Content-Type"] == "application/problem+json", route
    assert (answer.body == b"") == (route[0] == "HEAD"), route
    if answer.body:
        assert answer.code == code, route
    if status == 401:
        assert answer.headers["WWW-Authenticate"] == "Bearer", route


async def call_all(api: Api, routes: list[tuple[str, str]]) -> list[Answer]:
    # A body that nobody would take: who may not call is told so first.
    return [await api.call(*route, data=b"not json") for route in routes]


@SHORT_FOR_HS512
@pytest.mark.parametrize("credential", BAD_CREDENTIALS.values(), ids=BAD_CREDENTIALS)
async def test_the_customers_api_refuses_whoever_has_no_good_credential(
    customers: Api, credential: Callable[[], str | None]
) -> None:
    stranger = customers.called_with(credential())
    routes = CUSTOMERS_READS + CUSTOMERS_WRITES + INTERNAL

    for route, answer in zip(routes, await call_all(stranger, routes), strict=True):
        assert_refused(answer, 401, "UNAUTHORIZED", route)


@SHORT_FOR_HS512
@pytest.mark.parametrize("credential", BAD_CREDENTIALS.values(), ids=BAD_CREDENTIALS)
async def test_the_orders_api_refuses_whoever_has_no_good_credential(
    orders: Api, credential: Callable[[], str | None]
) -> None:
    stranger = orders.called_with(credential())
    routes = ORDERS_READS + ORDERS_WRITES

    for route, answer in zip(routes, await call_all(stranger, routes), strict=True):
        assert_refused(answer, 401, "UNAUTHORIZED", route)


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Basic {}", "Token {}", "{}", "Bearer {} {}", "Bearer {},Bearer {}"],
)
async def test_a_good_token_counts_only_as_a_bearer_token(
    customers: Api, orders: Api, authorization: str
) -> None:
    header = authorization.format(token(), token())

    for api, path in ((customers, "/customers"), (orders, "/orders")):
        answer = await api.called_with(None).get(path, Authorization=header)
        assert_refused(answer, 401, "UNAUTHORIZED", ("GET", path))


async def test_the_scheme_is_read_in_any_case(customers: Api) -> None:
    answer = await customers.called_with(None).get("/customers", Authorization=f"bEARER {token()}")

    assert answer.status == 200


@pytest.mark.parametrize("exp", [2, 3600, 100_000_000])
async def test_a_token_is_good_until_it_expires(customers: Api, orders: Api, exp: int) -> None:
    credential = token(exp=now() + exp)

    assert (await customers.called_with(credential).get("/customers")).status == 200
    assert (await orders.called_with(credential).get("/orders")).status == 200


async def test_an_operator_may_do_everything(customers: Api, orders: Api) -> None:
    customer = await a_customer(customers)
    path = f"/customers/{customer['id']}"
    product = await a_product(orders)
    order = await an_order(orders, customer, (product, 1))

    assert (await customers.get(path)).status == 200
    assert (
        await customers.call("PUT", path, {"name": "New", "email": customer["email"]})
    ).status == 200
    assert (
        await orders.call("PATCH", f"/products/{product['id']}", {"stock_delta": 1})
    ).status == 200
    confirmed = await orders.post(
        f"/orders/{order['id']}/confirm", X_Idempotency_Key=unique("confirm")
    )
    assert confirmed.status == 200
    assert (await orders.post(f"/orders/{order['id']}/cancel")).status == 200
    assert (await customers.call("DELETE", path)).status == 204


async def test_a_viewer_may_read_everything(customers: Api, orders: Api) -> None:
    customer = await a_customer(customers)
    product = await a_product(orders)
    order = await an_order(orders, customer, (product, 1))
    customers_viewer = customers.called_with(token("viewer"))
    orders_viewer = orders.called_with(token("viewer"))

    for path in ("/customers", f"/customers/{customer['id']}"):
        assert (await customers_viewer.get(path)).status == 200
        assert (await customers_viewer.call("HEAD", path)).status == 200
    for path in (
        "/products",
        f"/products/{product['id']}",
        "/orders",
        f"/orders/{order['id']}",
    ):
        assert (await orders_viewer.get(path)).status == 200
        assert (await orders_viewer.call("HEAD", path)).status == 200


async def test_a_viewer_may_write_nothing_and_nothing_is_written(
    customers: Api, orders: Api
) -> None:
    customer = await a_customer(customers)
    product = await a_product(orders, stock=7)
    order = await an_order(orders, customer, (product, 1))
    details = {"name": "Other", "email": f"{unique('other')}@acme.com"}
    a_write: list[tuple[Api, str, str, Any]] = [
        (customers, "POST", "/customers", details),
        (customers, "PUT", f"/customers/{customer['id']}", details),
        (customers, "DELETE", f"/customers/{customer['id']}", None),
        (orders, "POST", "/products", {"sku": "s", "name": "n", "price_cents": 1, "stock": 1}),
        (orders, "PATCH", f"/products/{product['id']}", {"stock": 0}),
        (orders, "POST", "/orders", {"customer_id": customer["id"], "items": []}),
        (orders, "POST", f"/orders/{order['id']}/confirm", None),
        (orders, "POST", f"/orders/{order['id']}/cancel", None),
    ]

    for api, method, path, value in a_write:
        answer = await api.called_with(token("viewer")).call(
            method, path, value, X_Idempotency_Key=unique("viewer")
        )
        assert_refused(answer, 403, "FORBIDDEN", (method, path))

    assert (await customers.get(f"/customers/{customer['id']}")).json == customer
    assert (await orders.get(f"/orders/{order['id']}")).json == order
    assert (await orders.get(f"/products/{product['id']}")).json["stock"] == 6


@pytest.mark.parametrize(
    "credential",
    [
        pytest.param(lambda: token(None), id="no role"),
        pytest.param(lambda: token("admin"), id="an unknown role"),
        pytest.param(lambda: token("Operator"), id="a role in another case"),
        pytest.param(lambda: token("service"), id="a service's role in an operator's token"),
        pytest.param(lambda: token(cast("Any", ["operator"])), id="a list of roles"),
    ],
)
async def test_a_good_token_without_a_role_of_ours_may_not_even_read(
    customers: Api, orders: Api, credential: Callable[[], str]
) -> None:
    for api, routes in (
        (customers, CUSTOMERS_READS + CUSTOMERS_WRITES + INTERNAL),
        (orders, ORDERS_READS + ORDERS_WRITES),
    ):
        answers = await call_all(api.called_with(credential()), routes)
        for route, answer in zip(routes, answers, strict=True):
            assert_refused(answer, 403, "FORBIDDEN", route)


@pytest.mark.parametrize("role", ["operator", "viewer"])
async def test_no_operator_reaches_what_is_for_services_alone(customers: Api, role: str) -> None:
    answers = await call_all(customers.called_with(token(role)), INTERNAL)

    for route, answer in zip(INTERNAL, answers, strict=True):
        assert_refused(answer, 403, "FORBIDDEN", route)


async def test_a_service_reaches_nothing_of_the_customers_api_but_what_is_for_it(
    customers: Api,
) -> None:
    customer = await a_customer(customers)
    service = customers.called_with(SERVICE_TOKEN)
    routes = CUSTOMERS_READS + CUSTOMERS_WRITES

    for route, answer in zip(routes, await call_all(service, routes), strict=True):
        assert_refused(answer, 403, "FORBIDDEN", route)
    assert (await service.get(f"/internal/customers/{customer['id']}")).status == 200


async def test_a_service_may_do_everything_at_the_orders_api(customers: Api, orders: Api) -> None:
    customer = await a_customer(customers)
    service = orders.called_with(SERVICE_TOKEN)

    product = await a_product(service)
    order = await an_order(service, customer, (product, 1))
    its_path = f"/orders/{order['id']}"
    confirmed = await service.post(f"{its_path}/confirm", X_Idempotency_Key=unique("c"))
    assert confirmed.status == 200
    assert (await service.post(f"{its_path}/cancel")).status == 200
    for path in ("/products", f"/products/{product['id']}", "/orders", its_path):
        assert (await service.get(path)).status == 200


@pytest.mark.parametrize("path", OPEN)
@pytest.mark.parametrize("credential", [None, "garbage"], ids=["no token", "garbage"])
async def test_what_is_open_asks_for_no_token(
    customers: Api, orders: Api, credential: str | None, path: str
) -> None:
    for api in (customers, orders):
        assert (await api.called_with(credential).get(path)).status == 200


@pytest.fixture
def while_secrets_are_rotated(start_customers: Start, start_orders: Start) -> tuple[Api, Api]:
    secrets = f"{OTHER_SECRET},{JWT_SECRET}"
    customers = start_customers(JWT_SECRET=secrets)
    return customers, start_orders(customers.base_url, JWT_SECRET=secrets)


async def test_while_secrets_are_rotated_tokens_of_all_of_them_are_good(
    while_secrets_are_rotated: tuple[Api, Api],
) -> None:
    customers, orders = while_secrets_are_rotated

    for secret, status in ((OTHER_SECRET, 200), (JWT_SECRET, 200), (JWT_SECRET + "x", 401)):
        credential = token(secret=secret)
        assert (await customers.called_with(credential).get("/customers")).status == status
        assert (await orders.called_with(credential).get("/orders")).status == status
    expired = token(secret=JWT_SECRET, exp=now() - 1)
    assert (await customers.called_with(expired).get("/customers")).status == 401


@pytest.fixture
def customers_with_two_tokens(start_customers: Start) -> Api:
    return start_customers(SERVICE_TOKEN="new-token,old-token")


async def test_while_service_tokens_are_rotated_all_are_accepted(
    customers_with_two_tokens: Api,
) -> None:
    customer = await a_customer(customers_with_two_tokens)
    path = f"/internal/customers/{customer['id']}"

    for credential, status in (("new-token", 200), ("old-token", 200), (SERVICE_TOKEN, 401)):
        answer = await customers_with_two_tokens.called_with(credential).get(path)
        assert answer.status == status


@pytest.fixture
def customers_with_the_new_token(start_customers: Start) -> Api:
    return start_customers(SERVICE_TOKEN="new-token")


@pytest.fixture
def orders_with_two_tokens(customers_with_the_new_token: Api, start_orders: Start) -> Api:
    base_url = customers_with_the_new_token.base_url
    return start_orders(base_url, SERVICE_TOKEN="new-token,old-token")


async def test_while_service_tokens_are_rotated_the_first_is_sent(
    customers_with_the_new_token: Api, orders_with_two_tokens: Api
) -> None:
    customer = await a_customer(customers_with_the_new_token)
    orders = orders_with_two_tokens.called_with("old-token")

    order = await an_order(orders, customer, (await a_product(orders), 1))

    assert order["status"] == "CREATED"


async def test_a_second_authorization_header_lets_nobody_in(
    customers: Api, session: aiohttp.ClientSession
) -> None:
    headers = [("Authorization", f"Bearer {token()}"), ("Authorization", "Bearer garbage")]

    async with session.get(customers.base_url + "/customers", headers=headers) as response:
        assert response.status == 401
