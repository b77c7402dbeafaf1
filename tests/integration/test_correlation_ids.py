"""The correlation id of a request: on every response, and on every call that it causes."""

import uuid
from typing import Any

import aiohttp
import pytest
import structlog

from customers_api.handlers import InternalCustomerHandler
from tests.apis import Api
from tests.builders import a_customer, a_product, lines
from tests.integration.raw_http import answer_to

HEADER = "X-Correlation-Id"


@pytest.fixture(params=["customers", "orders"])
def api(request: pytest.FixtureRequest, customers: Api, orders: Api) -> Api:
    return customers if request.param == "customers" else orders


@pytest.mark.parametrize(
    "own", ["a", "req-789", "A.b_c:d-9", "0" * 128, str(uuid.uuid4()), "---", "::"]
)
async def test_an_id_of_the_callers_comes_back(api: Api, own: str) -> None:
    answer = await api.get("/health", X_Correlation_Id=own)

    assert answer.headers.getall(HEADER) == [own]


@pytest.mark.parametrize(
    "header",
    [
        "",
        " ",
        "a b",
        "a,b",
        "a/b",
        "a;b",
        '"a"',
        "a\tb",
        "\xe9",
        "a" * 129,
        "a" * 5000,
        "<script>",
        "{}",
    ],
)
async def test_one_that_is_none_is_replaced_by_a_new_one(api: Api, header: str) -> None:
    answer = await answer_to(api, "GET /health", f"{HEADER}: {header}")

    assert answer.headers[HEADER] != header
    assert str(uuid.UUID(answer.headers[HEADER])) == answer.headers[HEADER]


async def test_without_one_every_response_has_a_new_one(api: Api) -> None:
    answers = [await api.get("/health") for _ in range(3)]

    assert len({answer.headers[HEADER] for answer in answers}) == 3


async def test_two_of_them_are_none(api: Api) -> None:
    answer = await answer_to(api, "GET /health", f"{HEADER}: one", f"{HEADER}: two")

    assert answer.headers[HEADER] not in {"one", "two", "one,two"}


@pytest.mark.parametrize(
    ("start", "headers", "status"),
    [
        ("GET /health", [], 200),
        ("GET /metrics", [], 200),
        ("GET /docs", [], 200),
        ("GET /nowhere", [], 404),
        ("FOO /nowhere", [], 404),
        ("FOO /health", [], 405),
        ("DELETE /health", [], 405),
        ("POST /{list}", ["Content-Length: 100000000"], 413),
        ("POST /{list}", ["Content-Length: 0"], 400),
        ("POST /{list}", ["Content-Length: 0", "Content-Type: text/plain"], 415),
        ("GET /{list}?limit=0", [], 422),
        ("GET /{list}/%ff", [], 404),
        ("GET /{list}/9999999999999", [], 404),
        ("GET /{list}", ["Authorization: Basic x"], 401),
    ],
)
async def test_every_response_has_it_and_every_problem_says_it(
    api: Api, request: pytest.FixtureRequest, start: str, headers: list[str], status: int
) -> None:
    a_list = request.node.callspec.params["api"].replace("orders", "products")
    if status == 401:
        api = api.called_with(None)

    answer = await answer_to(api, start.format(list=a_list), f"{HEADER}: mine-{status}", *headers)

    assert answer.status == status
    assert answer.headers[HEADER] == f"mine-{status}"
    if status >= 400:
        assert answer.code
        assert answer.json["correlation_id"] == f"mine-{status}"


async def test_a_304_and_a_204_have_it_too(customers: Api) -> None:
    customer = await a_customer(customers)
    path = f"/customers/{customer['id']}"

    unchanged = await customers.get(path, If_None_Match="*", X_Correlation_Id="unchanged")
    deleted = await customers.call("DELETE", path, X_Correlation_Id="deleted")

    assert (unchanged.status, unchanged.headers[HEADER]) == (304, "unchanged")
    assert (deleted.status, deleted.headers[HEADER]) == (204, "deleted")


@pytest.fixture
def ids_at_customers(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Return the ids of the requests that reach the Customers API's door for services."""
    ids: list[str | None] = []
    prepare = InternalCustomerHandler.prepare

    async def noting_it(handler: InternalCustomerHandler) -> None:
        ids.append(handler.request.headers.get(HEADER))
        await prepare(handler)

    monkeypatch.setattr(InternalCustomerHandler, "prepare", noting_it)
    return ids


async def test_it_goes_from_orders_to_customers(
    customers: Api, orders: Api, ids_at_customers: list[str | None]
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    order = {"customer_id": customer["id"], "items": lines((product, 1))}

    answer = await orders.post("/orders", order, X_Correlation_Id="req-789")

    assert (answer.status, answer.headers[HEADER]) == (201, "req-789")
    assert ids_at_customers == ["req-789"]


async def test_a_new_one_goes_from_orders_to_customers_too(
    customers: Api, orders: Api, ids_at_customers: list[str | None]
) -> None:
    nobody = {"customer_id": 2**62, "items": [{"product_id": 1, "qty": 1}]}

    answer = await orders.post("/orders", nobody, X_Correlation_Id="not one")

    assert answer.code == "CUSTOMER_NOT_FOUND"
    assert ids_at_customers == [answer.headers[HEADER]]
    assert ids_at_customers != ["not one"]


async def test_requests_on_one_connection_do_not_share_it(
    customers: Api, session: aiohttp.ClientSession
) -> None:
    first = await customers.get("/nowhere", X_Correlation_Id="first")
    second = await customers.get("/nowhere")

    assert first.json["correlation_id"] == "first"
    assert second.json["correlation_id"] not in {"", "first"}


@pytest.fixture
def log_lines() -> Any:
    with structlog.testing.capture_logs() as captured:
        yield captured


@pytest.fixture
def logging_customers(log_lines: Any, start_customers: Any) -> Api:
    api: Api = start_customers(ACCESS_LOG="on")
    return api


async def test_the_access_log_has_it_on_the_line_of_the_request(
    logging_customers: Api, log_lines: list[dict[str, Any]]
) -> None:
    await logging_customers.get("/customers/1?x=a-secret", X_Correlation_Id="seen-1")
    await logging_customers.called_with(None).get("/customers/1", X_Correlation_Id="seen-2")

    by_id = {line["correlation_id"]: line for line in log_lines if line["event"] == "request"}
    assert by_id["seen-1"]["path"] == by_id["seen-2"]["path"] == "/customers/1"
    assert by_id["seen-2"]["status"] == 401
    assert by_id["seen-1"]["method"] == "GET"
    assert "a-secret" not in str(log_lines)
