"""What both services answer to those who run them: health, metrics, document and page."""

import asyncio
import json
import re
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

import customers_api.document
import orders_api.document
from service_kit.application import ServiceApplication
from service_kit.database import Database
from tests.apis import SERVICE_TOKEN, Api
from tests.builders import a_customer, a_product, an_order, unique
from tests.integration.conftest import Start
from tests.integration.raw_http import answer_to
from tests.waiting import until


@pytest.fixture(params=["customers", "orders"])
def api(request: pytest.FixtureRequest, customers: Api, orders: Api) -> Api:
    return customers if request.param == "customers" else orders


@pytest.fixture
def dead_port() -> Iterator[str]:
    """Return a port at which nobody answers, and nobody else will."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        yield str(taken.getsockname()[1])


@pytest.fixture
def customers_without_database(start_customers: Start, dead_port: str) -> Api:
    return start_customers(MYSQL_PORT=dead_port)


@pytest.fixture
def orders_without_database(customers: Api, start_orders: Start, dead_port: str) -> Api:
    return start_orders(customers.base_url, MYSQL_PORT=dead_port)


@dataclass(slots=True)
class SlowPing:
    """Answers when it may, and counts how often it is asked."""

    times: int = 0
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self) -> None:
        self.times += 1
        await self.may_answer.wait()


@pytest.fixture
def slow_ping(monkeypatch: pytest.MonkeyPatch) -> SlowPing:
    """Stand in for the ping of databases that are opened from now on."""
    ping = SlowPing()
    monkeypatch.setattr(Database, "ping", ping)
    return ping


async def test_with_its_database_a_service_is_well(api: Api) -> None:
    for path in ("/health", "/health/live"):
        answer = await api.get(path)
        assert (answer.status, answer.json["status"]) == (200, "ok")


async def test_without_its_database_a_service_lives_but_cannot_work(
    customers_without_database: Api, orders_without_database: Api
) -> None:
    for api in (customers_without_database, orders_without_database):
        health = await api.get("/health")
        assert (health.status, health.json["status"]) == (503, "unavailable")
        assert int(health.headers["Retry-After"]) > 0
        assert (await api.get("/health/live")).status == 200
        for path in ("/metrics", "/openapi.json", "/docs"):
            assert (await api.get(path)).status == 200


async def test_however_many_ask_after_its_health_at_once_the_database_is_asked_once(
    slow_ping: SlowPing, customers: Api, applications: dict[str, ServiceApplication]
) -> None:
    application = applications[customers.base_url]

    asking = asyncio.gather(*(customers.get("/health") for _ in range(20)))
    await until(lambda: application.requests_under_way == 20, "20 questions")
    slow_ping.may_answer.set()
    answers = await asking

    assert {answer.status for answer in answers} == {200}
    assert slow_ping.times == 1


async def test_without_its_database_every_call_is_busy_and_says_nothing_of_the_inside(
    customers_without_database: Api, orders_without_database: Api, dead_port: str
) -> None:
    details = {"name": "A", "email": "a@acme.com"}
    product = {"sku": "A", "name": "A", "price_cents": 1, "stock": 1}
    customers, orders = customers_without_database, orders_without_database
    a_call: list[tuple[Api, str, str, Any]] = [
        (customers, "GET", "/customers", None),
        (customers, "GET", "/customers?search=a", None),
        (customers, "POST", "/customers", details),
        (customers, "GET", "/customers/1", None),
        (customers, "PUT", "/customers/1", details),
        (customers, "DELETE", "/customers/1", None),
        (customers.called_with(SERVICE_TOKEN), "GET", "/internal/customers/1", None),
        (orders, "GET", "/products", None),
        (orders, "POST", "/products", product),
        (orders, "GET", "/products/1", None),
        (orders, "PATCH", "/products/1", {"stock": 1}),
        (orders, "GET", "/orders", None),
        (orders, "GET", "/orders/1", None),
        (orders, "POST", "/orders/1/confirm", None),
        (orders, "POST", "/orders/1/cancel", None),
    ]

    for api, method, path, value in a_call:
        answer = await api.call(method, path, value, X_Idempotency_Key="key")
        assert (answer.status, answer.code) == (503, "BUSY"), path
        assert int(answer.headers["Retry-After"]) > 0
        for inside in (dead_port, "127.0.0.1", "Traceback", "pymysql", "SELECT"):
            assert inside not in answer.body.decode()


def value_of(text: str, metric: str, **labels: str) -> float:
    """Return the value of a series with these labels, in whatever order; 0 if there is none."""
    for line in text.splitlines():
        name, _, value = line.rpartition(" ")
        found = dict(re.findall(r'(\w+)="([^"]*)"', name))
        if name.partition("{")[0] == metric and found == labels:
            return float(value)
    return 0.0


async def test_requests_are_counted_by_route_method_and_status(customers: Api) -> None:
    customer = await a_customer(customers)
    for path in (f"/customers/{customer['id']}", "/customers/999999", "/customers/abc"):
        await customers.get(path)
    await customers.called_with(None).get("/customers/1")
    await customers.get("/nowhere/at/all")

    text = (await customers.get("/metrics")).body.decode()

    of_one = {"method": "GET", "route": "/customers/{customer_id}"}
    assert value_of(text, "http_requests_total", **of_one, status="200") == 1
    assert value_of(text, "http_requests_total", **of_one, status="404") == 2
    assert value_of(text, "http_requests_total", **of_one, status="401") == 1
    assert value_of(text, "http_request_duration_seconds_count", **of_one) == 4
    assert value_of(text, "http_request_duration_seconds_sum", **of_one) > 0
    created = {"method": "POST", "route": "/customers", "status": "201"}
    assert value_of(text, "http_requests_total", **created) == 1


async def test_no_client_can_make_new_series_of_metrics(api: Api) -> None:
    marks = [unique("x") for _ in range(3)]
    for mark in marks:
        await answer_to(api, f"GET /{mark}")
        await answer_to(api, f"{mark.upper()} /health")
        await answer_to(api, f"GET /docs/{mark}")
        await answer_to(api, f"GET /health?{mark}=1", f"X-Correlation-Id: {mark}")

    text = (await api.get("/metrics")).body.decode()

    assert not [mark for mark in marks if mark in text.lower()]


async def test_metrics_tell_of_pool_and_repeats_in_prometheus_text(orders: Api) -> None:
    await orders.get("/products")

    answer = await orders.get("/metrics")

    text = answer.body.decode()
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    # The purge of old keys begins with the service, and holds a connection of its own.
    async with asyncio.timeout(10):
        while value_of(text, "database_connections_in_use") != 0:
            text = (await orders.get("/metrics")).body.decode()
    for name in (
        "http_requests_total",
        "http_request_duration_seconds",
        "database_connections_in_use",
        "database_transactions_repeated_total",
        "idempotent_replays_total",
    ):
        assert f"# TYPE {name} " in text


async def test_a_replay_is_counted(customers: Api, orders: Api) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    key = unique("key")
    for _ in range(3):
        await an_order(orders, customer, (product, 1), X_Idempotency_Key=key)

    text = (await orders.get("/metrics")).body.decode()

    assert value_of(text, "idempotent_replays_total") == 2


async def test_two_services_in_one_process_count_apart(customers: Api, orders: Api) -> None:
    await customers.get("/customers")

    text = (await orders.get("/metrics")).body.decode()

    assert "/customers" not in text


async def test_the_document_is_valid_openapi_3_1(api: Api) -> None:
    answer = await api.get("/openapi.json")

    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    document = answer.json
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"].startswith("3.1.")
    assert b"Invalid Swagger" not in answer.body


async def test_a_service_says_what_is_written_down_of_it(customers: Api, orders: Api) -> None:
    for api, document in (
        (customers, customers_api.document.document()),
        (orders, orders_api.document.document()),
    ):
        assert (await api.get("/openapi.json")).json == document


async def test_many_may_ask_for_the_document_at_once_and_get_the_same(api: Api) -> None:
    answers = await asyncio.gather(*(api.get("/openapi.json") for _ in range(10)))

    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1


async def test_answers_are_of_the_shape_that_the_document_promises(
    customers: Api, orders: Api
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    order = await an_order(orders, customer, (product, 2))

    for api, template, path in (
        (customers, "/customers", "/customers"),
        (customers, "/customers/{customer_id}", f"/customers/{customer['id']}"),
        (orders, "/products", "/products"),
        (orders, "/products/{product_id}", f"/products/{product['id']}"),
        (orders, "/orders", "/orders"),
        (orders, "/orders/{order_id}", f"/orders/{order['id']}"),
    ):
        document = (await api.get("/openapi.json")).json
        response = document["paths"][template]["get"]["responses"]["200"]
        schema = response["content"]["application/json"]["schema"]
        validator = Draft202012Validator({**schema, "components": document["components"]})
        validator.validate((await api.get(path)).json)
        problem = document["components"]["schemas"]["Problem"]
        Draft202012Validator(problem).validate((await api.called_with(None).get(path)).json)


async def test_two_services_in_one_process_have_documents_of_their_own(
    customers: Api, orders: Api
) -> None:
    titles = [(await api.get("/openapi.json")).json["info"]["title"] for api in (customers, orders)]

    assert titles == ["Customers API", "Orders API"]


async def test_the_page_is_guarded_and_all_that_it_needs_comes_from_the_service(api: Api) -> None:
    page = await api.get("/docs")

    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = dict(
        directive.strip().split(" ", 1)
        for directive in page.headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    html = page.body.decode()
    assert not re.search(r"https?://|//cdn|unpkg|jsdelivr", html)
    # The policy allows no script inside the page.
    assert re.findall(r"<script[^>]*>([^<]+)</script>", html) == []
    needed = re.findall(r'(?:src|href)="([^"]+)"', html)
    loaded = {path for path in needed if path.startswith("/docs/")}
    assert set(needed) - loaded == {"/docs", "/openapi.json", "/health", "/metrics"}
    assert len(loaded) == 5
    types = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    for path in loaded:
        asset = await api.get(path)
        assert asset.status == 200, path
        assert asset.body, path
        suffix = path[path.rindex(".") :]
        assert asset.headers["Content-Type"].partition(";")[0] == types[suffix], path
        assert asset.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_browser_that_has_the_page_is_told_so(api: Api) -> None:
    for path in ("/docs", "/docs/start.js", "/docs/swagger-ui-bundle.js", "/openapi.json"):
        first = await api.get(path)
        assert first.headers["Cache-Control"] == "no-cache"

        again = await api.get(path, If_None_Match=first.headers["ETag"])

        assert (again.status, again.body) == (304, b"")
        assert (await api.get(path, If_None_Match='"another"')).status == 200


async def test_the_pages_address_may_end_in_a_slash(api: Api) -> None:
    answer = await api.get("/docs/")

    assert (answer.status, answer.headers["Location"]) == (302, "/docs")


async def test_the_page_shows_the_services_own_document(api: Api) -> None:
    start = (await api.get("/docs/start.js")).body.decode()

    assert re.search(r'url: "/openapi.json"', start)
    assert "validatorUrl: null" in start
    assert not re.search(r"https?://", start)


async def test_no_response_tells_which_server_it_is(api: Api) -> None:
    for path in ("/health", "/nowhere", "/docs", "/docs/start.js"):
        answer = await api.get(path)
        assert "Server" not in answer.headers
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_problem_is_one_of_rfc_9457(api: Api) -> None:
    answer = await api.get("/nowhere")

    assert answer.headers["Content-Type"] == "application/problem+json"
    assert json.loads(answer.body) == {
        "type": "urn:b2b-back-office:problem:not-found",
        "title": "There is nothing here",
        "status": 404,
        "detail": "There is nothing here.",
        "code": "NOT_FOUND",
        "correlation_id": answer.headers["X-Correlation-Id"],
    }
