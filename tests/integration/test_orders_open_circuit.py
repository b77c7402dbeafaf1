"""Orders when the Customers API has failed for a while: refused at once, until it is back."""

import asyncio
import time
from collections.abc import Callable, Iterator

import pytest

from tests.apis import Api
from tests.builders import a_customer, a_product, lines, unique
from tests.database_servers import TestDatabase
from tests.integration.fake_customers import FakeCustomers, HangsUp, Says, silence
from tests.integration.order_calls import confirm, create, refusal
from tests.integration.order_facts import rows
from tests.integration.replays import check_replay

FAILURES = 3
OPEN_SECONDS = 1
UNAVAILABLE = (503, "CUSTOMERS_UNAVAILABLE")
CIRCUIT = {
    "CUSTOMERS_CIRCUIT_FAILURES": str(FAILURES),
    "CUSTOMERS_CIRCUIT_OPEN_SECONDS": str(OPEN_SECONDS),
}


@pytest.fixture
def orders(fake: FakeCustomers, start_orders: Callable[..., Api]) -> Api:
    return start_orders(fake.base_url, **CIRCUIT)


@pytest.fixture
def unanswered(start_orders: Callable[..., Api]) -> Iterator[Api]:
    with silence() as address:
        yield start_orders(address, **CIRCUIT)


async def open_the_circuit(orders: Api, fake: FakeCustomers) -> None:
    fake.plan = HangsUp()
    for _ in range(FAILURES):
        assert refusal(await create(orders, 1, [{"product_id": 1, "qty": 1}])) == UNAVAILABLE


async def test_an_open_circuit_refuses_at_once_and_asks_nobody(
    orders: Api, fake: FakeCustomers, database: TestDatabase
) -> None:
    await open_the_circuit(orders, fake)
    before, asked = rows(database), len(fake.asked)
    started = time.monotonic()

    answers = [await create(orders, 1, [{"product_id": 1, "qty": 1}]) for _ in range(20)]

    assert {refusal(answer) for answer in answers} == {UNAVAILABLE}
    assert {answer.headers["Retry-After"] for answer in answers} == {"1"}
    assert time.monotonic() - started < OPEN_SECONDS, "too slow to say anything of the circuit"
    assert len(fake.asked) == asked
    assert rows(database) == before


async def test_when_the_customers_api_is_back_orders_are_taken_again_by_themselves(
    orders: Api, customers: Api, fake: FakeCustomers
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    await open_the_circuit(orders, fake)
    fake.plan = None
    opened = time.monotonic()
    key = unique("key")

    while True:  # as a good client does: the same request, after the time that it was told
        answer = await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)
        if answer.status == 201:
            break
        assert refusal(answer) == UNAVAILABLE
        await asyncio.sleep(int(answer.headers["Retry-After"]))

    assert time.monotonic() - opened < OPEN_SECONDS + 2
    more = [await create(orders, customer["id"], lines((product, 1))) for _ in range(10)]
    assert {answer.status for answer in more} == {201}


async def test_all_that_needs_no_customer_goes_on_while_the_circuit_is_open(
    orders: Api, customers: Api, fake: FakeCustomers
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    key = unique("key")
    first = await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)
    await open_the_circuit(orders, fake)
    asked = len(fake.asked)

    again = await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)

    check_replay(again, first)
    assert (await confirm(orders, first.json)).status == 200
    assert (await orders.get("/orders")).status == 200
    assert (await orders.get("/health")).json == {"status": "ok"}
    assert len(fake.asked) == asked


async def test_customers_that_do_not_exist_open_nothing(orders: Api, fake: FakeCustomers) -> None:
    fake.plan = Says(404, {"code": "CUSTOMER_NOT_FOUND"}, "application/problem+json")

    answers = [await create(orders, 1, [{"product_id": 1, "qty": 1}]) for _ in range(FAILURES + 5)]

    assert {refusal(answer) for answer in answers} == {(404, "CUSTOMER_NOT_FOUND")}
    assert len(fake.asked) == FAILURES + 5


async def test_a_crowd_that_waits_in_vain_opens_it_for_all_who_come_after(unanswered: Api) -> None:
    crowd = [create(unanswered, 1, [{"product_id": 1, "qty": 1}]) for _ in range(30)]
    assert {refusal(answer) for answer in await asyncio.gather(*crowd)} == {UNAVAILABLE}

    started = time.monotonic()
    answer = await create(unanswered, 1, [{"product_id": 1, "qty": 1}])

    assert refusal(answer) == UNAVAILABLE
    assert time.monotonic() - started < 0.5


async def test_the_state_of_the_circuit_is_a_metric(orders: Api, fake: FakeCustomers) -> None:
    def told(body: bytes) -> list[str]:
        return [line for line in body.decode().splitlines() if "customers_circuit_open " in line]

    assert told((await orders.get("/metrics")).body)[-1] == "customers_circuit_open 0.0"

    await open_the_circuit(orders, fake)

    assert told((await orders.get("/metrics")).body)[-1] == "customers_circuit_open 1.0"
