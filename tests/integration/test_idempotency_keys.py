"""Which idempotency keys there are, and which are told apart."""

from typing import Any

import pytest

from tests.apis import Answer, Api
from tests.builders import a_customer, a_product, an_order, lines, stock_of, unique
from tests.database_servers import TestDatabase
from tests.integration.order_calls import create, refusal
from tests.integration.raw_http import answer_to
from tests.integration.replays import check_first, check_replay

INVALID = (400, "IDEMPOTENCY_KEY_INVALID")


async def test_a_confirmation_without_a_key_is_refused(orders: Api, customers: Api) -> None:
    order = await an_order(orders, await a_customer(customers), (await a_product(orders), 1))

    answer = await orders.post(f"/orders/{order['id']}/confirm")

    assert refusal(answer) == (400, "IDEMPOTENCY_KEY_REQUIRED")
    assert (await orders.get(f"/orders/{order['id']}")).json == order


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("", id="empty"),
        pytest.param("x" * 256, id="256"),
        pytest.param("x" * 400, id="400"),
        pytest.param("clé", id="UTF-8"),
    ],
)
@pytest.mark.parametrize("step", ["create", "confirm", "cancel"])
async def test_a_key_has_1_to_255_printable_ascii_characters(
    orders: Api, customers: Api, step: str, key: str
) -> None:
    product = await a_product(orders)
    order = await an_order(orders, await a_customer(customers), (product, 1))
    path = "/orders" if step == "create" else f"/orders/{order['id']}/{step}"
    value = {"customer_id": order["customer_id"], "items": lines((product, 1))}

    answer = await orders.post(path, value if step == "create" else None, X_Idempotency_Key=key)

    assert refusal(answer) == INVALID
    assert (await orders.get(f"/orders/{order['id']}")).json == order
    assert await stock_of(orders, product) == 99


async def confirm_with(orders: Api, order: dict[str, Any], *headers: str) -> Answer:
    """Confirm an order with headers that no client would send."""
    start = f"POST /orders/{order['id']}/confirm"
    return await answer_to(orders, start, *headers, "Content-Length: 0")


@pytest.mark.parametrize("key", ["\xe9", "\xff\xfe", "cl\xc3\xa9", "a\x80", "a\tb", "\xa0a"])
async def test_a_key_of_other_bytes_is_refused(orders: Api, customers: Api, key: str) -> None:
    order = await an_order(orders, await a_customer(customers), (await a_product(orders), 1))

    answer = await confirm_with(orders, order, f"X-Idempotency-Key: {key}")

    assert refusal(answer) == INVALID
    assert (await orders.get(f"/orders/{order['id']}")).json == order


@pytest.mark.parametrize("key", ["a\x00", "\x7f", "a\x1fb"])
async def test_a_key_that_no_header_may_hold_is_refused_before_anybody_reads_it(
    orders: Api, customers: Api, key: str
) -> None:
    order = await an_order(orders, await a_customer(customers), (await a_product(orders), 1))

    answer = await confirm_with(orders, order, f"X-Idempotency-Key: {key}")

    assert answer.status == 400
    assert (await orders.get(f"/orders/{order['id']}")).json == order


async def test_blanks_around_a_header_are_no_part_of_the_key(
    orders: Api, customers: Api, database: TestDatabase
) -> None:
    order = await an_order(orders, await a_customer(customers), (await a_product(orders), 1))
    key = unique("key")

    answer = await confirm_with(orders, order, f"X-Idempotency-Key: \t {key} \t ")

    assert answer.status == 200
    stored = "SELECT target_id FROM idempotency_keys WHERE `key` = %s"
    assert database.query(stored, key.encode()) == [(order["id"],)]


@pytest.mark.parametrize("keys", [("one", "two"), ("same", "same"), ("one", "")])
async def test_two_keys_are_none(orders: Api, customers: Api, keys: tuple[str, str]) -> None:
    order = await an_order(orders, await a_customer(customers), (await a_product(orders), 1))

    answer = await confirm_with(orders, order, *(f"X-Idempotency-Key: {key}" for key in keys))

    assert refusal(answer) == INVALID
    assert (await orders.get(f"/orders/{order['id']}")).json == order


@pytest.mark.parametrize("length", [1, 255])
async def test_the_shortest_and_the_longest_key_work(
    orders: Api, customers: Api, database: TestDatabase, length: int
) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    key = "~" if length == 1 else unique("k").ljust(255, "!")
    database.query("DELETE FROM idempotency_keys WHERE `key` = '~'")

    first = await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)
    again = await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)

    check_first(first)
    check_replay(again, first)


async def test_keys_are_compared_byte_for_byte(orders: Api, customers: Api) -> None:
    customer, product = await a_customer(customers), await a_product(orders)
    key = unique("Key a")
    similar = [
        key, key.upper(), key.lower(), f"{key}.", f".{key}", f"{key}  .", f"{key} .",
        key.replace(" ", "  "), f"{key}'", f"{key}\\", f'{key}"', f"{key}%", f"{key}_", f"{key},",
        f"{key}, {key}", "x" * (255 - len(key)) + key,
    ]  # fmt: skip
    assert len(set(similar)) == 16

    answers = {
        key: await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key)
        for key in similar
    }

    for answer in answers.values():
        check_first(answer)
    assert await stock_of(orders, product) == 100 - 16
    for key, first in answers.items():
        check_replay(
            await create(orders, customer["id"], lines((product, 1)), X_Idempotency_Key=key), first
        )
