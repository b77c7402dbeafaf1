"""More requests than a service works on at a time: some wait, more are refused at once."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from orders_api import app
from service_kit.admission import Admission
from tests import database_servers
from tests.apis import Answer, Api
from tests.builders import a_customer, a_product, lines, stock_of
from tests.integration.fake_customers import FakeCustomers
from tests.integration.order_calls import Product, create, refusal
from tests.waiting import until

# Who waits does not ask the database anything: one server is enough.
pytestmark = pytest.mark.parametrize(
    "database", database_servers.available()[:1], indirect=True, scope="session"
)

Ask = Callable[[], "asyncio.Task[Answer]"]


@pytest.fixture
def admissions(monkeypatch: pytest.MonkeyPatch) -> list[Admission]:
    """Let two at work and one wait; return the doors that were made."""
    made: list[Admission] = []

    def make() -> Admission:
        made.append(Admission(most_at_work=2, most_waiting=1))
        return made[-1]

    monkeypatch.setattr(app, "Admission", make)
    return made


@pytest.fixture
def slow(serve: Callable[[Any], Api]) -> Iterator[FakeCustomers]:
    """Return a Customers API that is not done while it trickles."""
    fake = FakeCustomers(trickles=True)
    fake.base_url = serve(fake.open).base_url
    yield fake
    fake.trickles = False


@pytest.fixture
def orders(
    admissions: list[Admission], slow: FakeCustomers, start_orders: Callable[..., Api]
) -> Api:
    return start_orders(slow.base_url)


async def fill(orders: Api, slow: FakeCustomers, admission: Admission, ask: Ask) -> list[Any]:
    """Have two orders at work and a third one in the line."""
    asked = [ask() for _ in range(3)]
    await until(lambda: len(slow.asked) == 2 and is_full(admission), "two at work, one waiting")
    return asked


def is_full(admission: Admission) -> bool:
    return len(admission._line) == 1


async def asking(orders: Api, customers: Api) -> tuple[Product, Ask]:
    customer = await a_customer(customers)
    product = await a_product(orders)
    return product, lambda: asyncio.create_task(create(orders, customer["id"], lines((product, 1))))


async def test_one_more_than_can_wait_is_refused_while_the_others_are_served(
    orders: Api, customers: Api, slow: FakeCustomers, admissions: list[Admission]
) -> None:
    product, ask = await asking(orders, customers)
    asked = await fill(orders, slow, admissions[0], ask)

    one_more = await ask()
    health = await orders.get("/health")
    slow.trickles = False
    answers = await asyncio.gather(*asked)

    assert refusal(one_more) == (503, "BUSY")
    assert one_more.headers["Retry-After"]
    assert health.status == 200
    assert [answer.status for answer in answers] == [201, 201, 201]
    assert await stock_of(orders, product) == 97


async def test_nothing_is_done_for_a_client_who_left_the_line(
    orders: Api, customers: Api, slow: FakeCustomers, admissions: list[Admission]
) -> None:
    product, ask = await asking(orders, customers)
    *served, leaving = await fill(orders, slow, admissions[0], ask)

    leaving.cancel()
    with suppress(asyncio.CancelledError):
        await leaving
    slow.trickles = False
    await asyncio.gather(*served)

    assert (await ask()).status == 201
    assert await stock_of(orders, product) == 97
