"""Versions of a resource: ETag, If-None-Match and If-Match (RFC 9110, sections 8.8.3 and 13)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.apis import Answer, Api
from tests.builders import a_customer, a_product, an_order, unique
from tests.database_servers import TestDatabase
from tests.integration.locks import holding


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource, and how it is changed."""

    api: Api
    path: str
    method: str
    change: Callable[[], dict[str, Any]]

    async def get(self, **headers: Any) -> Answer:
        return await self.api.get(self.path, **headers)

    async def changed(self, **headers: Any) -> Answer:
        return await self.api.call(self.method, self.path, self.change(), **headers)


@dataclass(frozen=True, slots=True)
class Resources:
    """Makes one resource of the kind that is tested."""

    kind: str
    customers: Api
    orders: Api

    async def one(self) -> Resource:
        if self.kind == "customer":
            customer = await a_customer(self.customers)
            path = f"/customers/{customer['id']}"
            email = customer["email"]
            return Resource(
                self.customers, path, "PUT", lambda: {"name": unique("New "), "email": email}
            )
        product = await a_product(self.orders)
        path = f"/products/{product['id']}"
        return Resource(self.orders, path, "PATCH", lambda: {"stock_delta": 1})


@pytest.fixture(params=["customer", "product"])
def resources(request: pytest.FixtureRequest, customers: Api, orders: Api) -> Resources:
    return Resources(request.param, customers, orders)


async def test_reading_and_writing_tell_the_same_strong_tag(resources: Resources) -> None:
    resource = await resources.one()

    changed, read = await resource.changed(), await resource.get()

    assert changed.headers["ETag"] == read.headers["ETag"]
    assert read.headers["ETag"].startswith('"')
    assert read.headers["ETag"].endswith('"')


async def test_creating_tells_the_tag_that_reading_does(customers: Api, orders: Api) -> None:
    for api, path, value in (
        (customers, "/customers", {"name": "A", "email": f"{unique('a')}@acme.com"}),
        (orders, "/products", {"sku": unique("A-"), "name": "A", "price_cents": 1, "stock": 1}),
    ):
        created = await api.post(path, value)
        read = await api.get(created.headers["Location"])
        assert created.headers["ETag"] == read.headers["ETag"]


async def test_every_change_makes_another_tag_even_within_a_millisecond(
    resources: Resources,
) -> None:
    resource = await resources.one()

    answers = await asyncio.gather(*(resource.changed() for _ in range(10)))

    assert {answer.status for answer in answers} == {200}
    assert len({answer.headers["ETag"] for answer in answers}) == 10


async def test_an_order_changes_the_tag_of_the_product_whose_stock_it_takes(
    customers: Api, orders: Api
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    path = f"/products/{product['id']}"
    before = (await orders.get(path)).headers["ETag"]

    order = await an_order(orders, customer, (product, 1))
    taken = (await orders.get(path)).headers["ETag"]
    await orders.post(f"/orders/{order['id']}/cancel")
    given_back = (await orders.get(path)).headers["ETag"]

    assert len({before, taken, given_back}) == 3


async def test_an_order_has_a_tag_that_changes_with_its_status(customers: Api, orders: Api) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    order = await an_order(orders, customer, (product, 1))
    path = f"/orders/{order['id']}"
    created = (await orders.get(path)).headers["ETag"]

    confirmed = await orders.post(f"{path}/confirm", X_Idempotency_Key=unique("key"))
    canceled = await orders.post(f"{path}/cancel")

    assert len({created, confirmed.headers["ETag"], canceled.headers["ETag"]}) == 3
    assert (await orders.get(path)).headers["ETag"] == canceled.headers["ETag"]


async def test_what_has_not_changed_is_not_sent_again(resources: Resources) -> None:
    resource = await resources.one()
    tag = (await resource.get()).headers["ETag"]

    for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        answer = await resource.get(If_None_Match=known)
        assert (answer.status, answer.body) == (304, b"")
        assert answer.headers["ETag"] == tag
        head = await resource.api.call("HEAD", resource.path, If_None_Match=known)
        assert head.status == 304


async def test_what_has_changed_is_sent(resources: Resources) -> None:
    resource = await resources.one()
    old = (await resource.get()).headers["ETag"]
    await resource.changed()

    for known in (old, '"other"', "", "nonsense"):
        answer = await resource.get(If_None_Match=known)
        assert answer.status == 200
        assert answer.json


async def test_a_change_under_the_current_tag_is_made(resources: Resources) -> None:
    resource = await resources.one()

    for write in (
        lambda tag: tag,
        lambda tag: f'"other", {tag}',
        lambda tag: f'{tag},"other"',
        lambda _tag: "*",
        lambda _tag: " * ",
    ):
        tag = (await resource.get()).headers["ETag"]
        answer = await resource.changed(If_Match=write(tag))
        assert answer.status == 200
        assert answer.headers["ETag"] != tag


async def test_a_change_under_another_tag_is_refused_and_not_made(resources: Resources) -> None:
    resource = await resources.one()
    stale = (await resource.get()).headers["ETag"]
    await resource.changed()
    before = await resource.get()
    current = before.headers["ETag"]

    for tag in (stale, f"W/{current}", current.strip('"'), '"other", "another"', '""', "", ","):
        answer = await resource.changed(If_Match=tag)
        assert (answer.status, answer.code) == (412, "PRECONDITION_FAILED"), tag
    after = await resource.get()
    assert (after.body, after.headers["ETag"]) == (before.body, current)


async def test_a_change_of_what_the_caller_must_not_know_yet_is_refused(
    resources: Resources,
) -> None:
    resource = await resources.one()
    current = (await resource.get()).headers["ETag"]

    for tag in ("*", current, f"W/{current}", f'"other", {current}'):
        answer = await resource.changed(If_None_Match=tag)
        assert (answer.status, answer.code) == (412, "PRECONDITION_FAILED"), tag
    assert (await resource.get()).headers["ETag"] == current
    assert (await resource.changed(If_None_Match='"other"')).status == 200


async def test_of_changes_at_once_under_one_tag_one_is_made(
    resources: Resources, database: TestDatabase
) -> None:
    resource = await resources.one()
    tag = (await resource.get()).headers["ETag"]
    table, number = resource.path.strip("/").split("/")

    row = f"SELECT id FROM {table} WHERE id = %s FOR UPDATE"
    with holding(database, row, number) as other:
        changes = [asyncio.create_task(resource.changed(If_Match=tag)) for _ in range(8)]
        await other.until_waiting(8)
        other.undo()
        answers = await asyncio.gather(*changes)

    assert sorted(answer.status for answer in answers) == [200] + [412] * 7


async def test_a_change_of_what_is_not_there_is_not_found_under_any_tag(
    customers: Api, orders: Api
) -> None:
    details = {"name": "A", "email": f"{unique('a')}@acme.com"}
    for tag in ('"1"', "*"):
        answer = await customers.call("PUT", "/customers/9999999999", details, If_Match=tag)
        assert answer.code == "CUSTOMER_NOT_FOUND"
        answer = await orders.call("PATCH", "/products/9999999999", {"stock": 1}, If_Match=tag)
        assert answer.code == "PRODUCT_NOT_FOUND"


async def test_a_deletion_honours_the_tag_too(customers: Api) -> None:
    customer = await a_customer(customers)
    path = f"/customers/{customer['id']}"
    tag = (await customers.get(path)).headers["ETag"]

    refused = await customers.call("DELETE", path, If_Match='"other"')
    deleted = await customers.call("DELETE", path, If_Match=tag)

    assert (refused.code, deleted.status) == ("PRECONDITION_FAILED", 204)


async def test_a_list_has_no_tag(customers: Api, orders: Api) -> None:
    for api, path in ((customers, "/customers"), (orders, "/products"), (orders, "/orders")):
        answer = await api.get(path, If_None_Match='"1"')
        assert answer.status == 200
        assert "ETag" not in answer.headers
