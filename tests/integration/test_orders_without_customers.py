"""Orders while the Customers API is away, slow, or answers something else than it should."""

import asyncio
import gzip
import time
from collections.abc import Callable, Iterator

import pytest

from orders_api import app
from service_kit.retrying import Backoff
from service_kit.upstream import Timeouts
from tests.apis import SERVICE_TOKEN, Api
from tests.builders import a_customer, a_product, lines, unique
from tests.database_servers import TestDatabase
from tests.integration.fake_customers import (
    FakeCustomers,
    HangsUp,
    Says,
    nobody,
    silence,
    the_customer,
)
from tests.integration.order_calls import create, refusal
from tests.integration.order_facts import rows, stocks

PROBLEM = "application/problem+json"
BLANKS = b" " * 5_000_000
PACKED = {"Content-Encoding": "gzip"}
UNAVAILABLE = (503, "CUSTOMERS_UNAVAILABLE")


@pytest.fixture
def orders(fake: FakeCustomers, start_orders: Callable[..., Api]) -> Api:
    return start_orders(fake.base_url)


@pytest.fixture
def refused(start_orders: Callable[..., Api]) -> Iterator[Api]:
    with nobody() as address:
        yield start_orders(address)


@pytest.fixture
def unanswered(start_orders: Callable[..., Api]) -> Iterator[Api]:
    with silence() as address:
        yield start_orders(address, MYSQL_POOL_SIZE="1")


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(Says(500, {"code": "INTERNAL_ERROR"}, PROBLEM), id="500"),
        pytest.param(Says(503, {"code": "BUSY"}, PROBLEM), id="503"),
        pytest.param(Says(503, b"<html>", "text/html"), id="503 of a proxy"),
        pytest.param(Says(429, {"code": "RATE_LIMITED"}, PROBLEM), id="429"),
        pytest.param(Says(401, {"code": "UNAUTHORIZED"}, PROBLEM), id="401"),
        pytest.param(Says(403, {"code": "FORBIDDEN"}, PROBLEM), id="403"),
        pytest.param(Says(404, {"code": "NOT_FOUND"}, PROBLEM), id="404 of another path"),
        pytest.param(Says(404, {"message": "no route"}), id="404 without code"),
        pytest.param(Says(404, b"<html>Not Found</html>", "text/html"), id="404 of a proxy"),
        pytest.param(Says(404, [{"code": "CUSTOMER_NOT_FOUND"}]), id="404 with a list"),
        pytest.param(Says(410, {"code": "CUSTOMER_NOT_FOUND"}, PROBLEM), id="410"),
        pytest.param(
            Says(302, the_customer, headers={"Location": "http://127.0.0.1:1/"}), id="redirect"
        ),
        pytest.param(Says(204, b""), id="204"),
        pytest.param(Says(200, lambda number: {"id": number + 1}), id="another customer"),
        pytest.param(Says(200, lambda number: {"id": str(number)}), id="an id that is a text"),
        pytest.param(Says(200, {}), id="no id"),
        pytest.param(Says(200, lambda number: [{"id": number}]), id="a list"),
        pytest.param(Says(200, "customer"), id="a text"),
        pytest.param(Says(200, None), id="null"),
        pytest.param(Says(200, lambda number: b'{"id": %d' % number), id="half an answer"),
        pytest.param(Says(200, b""), id="no body"),
        pytest.param(Says(200, the_customer, "text/html"), id="wrong content type"),
        pytest.param(Says(200, lambda number: b'{"id": %d}' % number + BLANKS), id="too much"),
        pytest.param(
            Says(200, lambda number: gzip.compress(b'{"id": %d}' % number), headers=PACKED),
            id="compressed",
        ),
        pytest.param(Says(200, gzip.compress(BLANKS), headers=PACKED), id="a compressed bomb"),
        pytest.param(HangsUp(), id="hangs up"),
    ],
)
async def test_an_answer_that_says_nothing_of_the_customer_is_a_503_and_nothing_stays(
    orders: Api,
    customers: Api,
    fake: FakeCustomers,
    database: TestDatabase,
    plan: Says | HangsUp,
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    before = rows(database)
    key = unique("key")
    fake.plan = plan

    answer = await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)

    assert refusal(answer) == UNAVAILABLE
    assert int(answer.headers["Retry-After"]) >= 1
    assert rows(database) == before
    assert stocks(database, [product]) == [100]
    # The same request goes through as soon as the other service is itself again.
    fake.plan = None
    again = await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)
    assert again.status == 201


async def test_a_customer_that_the_customers_api_does_not_know_is_not_found(
    orders: Api, fake: FakeCustomers
) -> None:
    product = await a_product(orders)
    fake.plan = Says(404, {"code": "CUSTOMER_NOT_FOUND"}, PROBLEM)

    answer = await create(orders, 1, lines((product, 1)))

    assert refusal(answer) == (404, "CUSTOMER_NOT_FOUND")
    assert len(fake.asked) == 1


async def test_a_customer_without_a_row_is_not_found_whatever_the_customers_api_says(
    orders: Api, fake: FakeCustomers, database: TestDatabase
) -> None:
    product = await a_product(orders)
    before = rows(database)

    answer = await create(orders, 2**62, lines((product, 1)))

    assert refusal(answer) == (404, "CUSTOMER_NOT_FOUND")
    assert rows(database) == before
    assert stocks(database, [product]) == [100]


async def test_an_answer_that_fails_once_is_asked_for_again(
    orders: Api, customers: Api, fake: FakeCustomers
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    fake.first = HangsUp()

    answer = await create(orders, customer["id"], lines((product, 1)))

    assert answer.status == 201
    assert len(fake.asked) == 2


async def test_the_customer_is_asked_for_as_a_service_under_the_same_correlation_id(
    orders: Api, customers: Api, fake: FakeCustomers
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)

    await create(orders, customer["id"], lines((product, 1)), X_Correlation_Id="order-desk:7")

    ((path, headers),) = fake.asked
    assert path == f"/internal/customers/{customer['id']}"
    assert headers["Authorization"] == f"Bearer {SERVICE_TOKEN}"
    assert headers["X-Correlation-Id"] == "order-desk:7"


async def test_an_order_that_is_refused_anyway_does_not_bother_the_customers_api(
    orders: Api, fake: FakeCustomers
) -> None:
    await create(orders, 1, [])
    await create(orders, 1, [{"product_id": 1, "qty": 1}], X_Idempotency_Key="")

    assert fake.asked == []


async def test_a_customers_api_that_is_away_is_a_503_at_once(
    refused: Api, customers: Api, database: TestDatabase
) -> None:
    product = await a_product(refused)
    customer = await a_customer(customers)
    before = rows(database)
    started = time.monotonic()

    answer = await create(refused, customer["id"], lines((product, 1)))

    assert refusal(answer) == UNAVAILABLE
    assert "Retry-After" in answer.headers
    assert time.monotonic() - started < 2
    assert rows(database) == before
    assert (await refused.get("/health")).json["status"] == "ok"


async def test_a_customers_api_that_never_answers_is_a_503_in_bounded_time_and_holds_nobody_up(
    unanswered: Api, customers: Api, database: TestDatabase
) -> None:
    product = await a_product(unanswered)
    customer = await a_customer(customers)
    before = rows(database)
    started = time.monotonic()

    attempts = [
        asyncio.create_task(create(unanswered, customer["id"], lines((product, 1))))
        for _ in range(20)
    ]
    # There is one connection to the database, and none of them keeps it while it waits.
    while not all(attempt.done() for attempt in attempts):
        asked = time.monotonic()
        assert (await unanswered.get(f"/products/{product['id']}")).status == 200
        assert time.monotonic() - asked < 1
        await asyncio.wait(attempts, timeout=0.1)
    answers = await asyncio.gather(*attempts)

    assert {refusal(answer) for answer in answers} == {UNAVAILABLE}
    assert all("Retry-After" in answer.headers for answer in answers)
    assert time.monotonic() - started < 6
    assert rows(database) == before


@pytest.fixture
def impatient(
    monkeypatch: pytest.MonkeyPatch, fake: FakeCustomers, start_orders: Callable[..., Api]
) -> Api:
    monkeypatch.setattr(app, "CUSTOMERS_TIMEOUTS", Timeouts(connect=0.2, total=0.2))
    monkeypatch.setattr(app, "CUSTOMERS_BACKOFF", Backoff(0.001, 0.001, attempts=2))
    return start_orders(fake.base_url)


async def test_an_answer_that_trickles_in_is_given_up_as_well(
    impatient: Api, customers: Api, fake: FakeCustomers
) -> None:
    customer, product = await a_customer(customers), await a_product(impatient)
    fake.trickles = True
    started = time.monotonic()

    answer = await create(impatient, customer["id"], lines((product, 1)))

    assert refusal(answer) == UNAVAILABLE
    assert time.monotonic() - started < 2
