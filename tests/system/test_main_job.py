"""The main job: one call takes an order from nothing to CONFIRMED, and only once."""

import asyncio
from collections.abc import Callable

import pytest

from tests.apis import Api
from tests.builders import a_customer, a_product, stock_of, unique
from tests.system.databases import Query
from tests.system.orchestrations import INVOCATIONS, PATH, a_request, failure_of, orders_of

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

EXAMPLE = {
    "customer_id": 1,
    "items": [{"product_id": 2, "qty": 3}],
    "correlation_id": "req-789",
}


async def test_the_example_of_the_exercise_is_answered_as_it_is_written(gateway: Api) -> None:
    answer = await gateway.post(PATH, {**EXAMPLE, "idempotency_key": unique("abc-123-")})

    assert answer.status == 201
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Correlation-Id"] == "req-789"
    order_id = answer.json["data"]["order"]["id"]
    assert answer.json == {
        "success": True,
        "correlationId": "req-789",
        "data": {
            "customer": {
                "id": 1,
                "name": "ACME",
                "email": "ops@acme.com",
                "phone": "+34 910 000 001",
            },
            "order": {
                "id": order_id,
                "status": "CONFIRMED",
                "total_cents": 389700,
                "items": [
                    {
                        "product_id": 2,
                        "qty": 3,
                        "unit_price_cents": 129900,
                        "subtotal_cents": 389700,
                    }
                ],
            },
        },
    }
    stored = (await gateway.get(f"/orders/{order_id}")).json
    assert (stored["status"], stored["total_cents"]) == ("CONFIRMED", 389700)


async def test_the_bare_event_of_curl_is_answered_by_the_json_itself(emulator: Api) -> None:
    answer = await emulator.post(INVOCATIONS, {**EXAMPLE, "idempotency_key": unique("key")})

    assert answer.status == 200
    assert answer.json["success"] is True
    assert answer.json["correlationId"] == "req-789"
    assert answer.json["data"]["order"]["status"] == "CONFIRMED"


async def test_an_http_event_at_the_emulator_is_answered_by_a_proxy_response(
    emulator: Api,
) -> None:
    event = {"version": "2.0", "requestContext": {"http": {"method": "POST"}}, "body": "{}"}

    answer = await emulator.post(INVOCATIONS, event)

    assert answer.json["statusCode"] == 401
    assert isinstance(answer.json["body"], str)


async def test_a_repeated_call_is_told_of_the_same_order(gateway: Api) -> None:
    product = await a_product(gateway, stock=10)
    request = a_request(product, 2)

    first = await gateway.post(PATH, request)
    second = await gateway.post(PATH, request)

    assert (first.status, second.status) == (201, 201)
    assert first.json["data"] == second.json["data"]
    assert await stock_of(gateway, product) == 8


async def test_twelve_calls_at_once_under_one_key_make_one_order(gateway: Api) -> None:
    product = await a_product(gateway, stock=100)
    request = a_request(product, 5)

    answers = await asyncio.gather(*(gateway.post(PATH, request) for _ in range(12)))

    assert {answer.status for answer in answers} == {201}
    assert len({str(answer.json["data"]) for answer in answers}) == 1
    assert len(await orders_of(gateway, product)) == 1
    assert await stock_of(gateway, product) == 95


async def test_sixty_calls_at_once_make_sixty_orders_and_the_emulators_live_on(
    gateway: Api, emulator_pids: Callable[[], dict[str, int]]
) -> None:
    product = await a_product(gateway, stock=60)
    before = emulator_pids()

    answers = await asyncio.gather(*(gateway.post(PATH, a_request(product)) for _ in range(60)))

    assert {answer.status for answer in answers} == {201}
    assert len({answer.json["data"]["order"]["id"] for answer in answers}) == 60
    assert await stock_of(gateway, product) == 0
    assert emulator_pids() == before


async def test_each_refusal_has_the_status_and_code_of_the_step_that_refused(
    gateway: Api, viewer: Api
) -> None:
    product = await a_product(gateway, stock=1)
    dear = await a_product(gateway, stock=1_000_000, price_cents=1_000_000_000_000)
    gone = await a_customer(gateway)
    await gateway.call("DELETE", f"/customers/{gone['id']}")
    used = a_request(product)
    await gateway.post(PATH, used)
    nobody = gateway.called_with(None)
    without_customer = a_request(product, customer_id=gone["id"])
    other_lines = {**used, "items": [{"product_id": product["id"], "qty": 7}]}
    cases = [
        ((401, "UNAUTHORIZED"), await nobody.post(PATH, a_request(product))),
        ((403, "FORBIDDEN"), await viewer.post(PATH, a_request(product))),
        ((400, "INVALID_JSON"), await gateway.call("POST", PATH, data=b"{")),
        ((422, "VALIDATION_FAILED"), await gateway.post(PATH, {"customer_id": True})),
        ((404, "CUSTOMER_NOT_FOUND"), await gateway.post(PATH, without_customer)),
        ((404, "PRODUCT_NOT_FOUND"), await gateway.post(PATH, a_request({"id": 10**12}))),
        ((409, "INSUFFICIENT_STOCK"), await gateway.post(PATH, a_request(product, 2))),
        ((422, "TOTAL_TOO_LARGE"), await gateway.post(PATH, a_request(dear, 10_000))),
        ((422, "IDEMPOTENCY_KEY_REUSED"), await gateway.post(PATH, other_lines)),
    ]  # fmt: skip

    assert [failure_of(answer) for _, answer in cases] == [expected for expected, _ in cases]


async def test_an_order_canceled_meanwhile_is_still_told_as_it_was(gateway: Api) -> None:
    product = await a_product(gateway, stock=3)
    request = a_request(product, 3)
    first = await gateway.post(PATH, request)
    order = first.json["data"]["order"]
    canceled = await gateway.post(f"/orders/{order['id']}/cancel")
    assert canceled.json["status"] == "CANCELED"

    again = await gateway.post(PATH, request)

    assert (again.status, again.json["data"]["order"]) == (201, order)
    assert await stock_of(gateway, product) == 3


async def test_an_order_canceled_between_create_and_confirm_is_not_confirmable(
    gateway: Api, query: Query
) -> None:
    product = await a_product(gateway, stock=3)
    request = a_request(product)
    first = await gateway.post(PATH, request)
    order_id = first.json["data"]["order"]["id"]
    await gateway.post(f"/orders/{order_id}/cancel")
    # As if the first call had died before its confirmation.
    query(
        "DELETE FROM idempotency_keys WHERE target_type = 'order.confirm' AND target_id = %s",
        order_id,
    )

    again = await gateway.post(PATH, request)

    assert failure_of(again) == (409, "ORDER_NOT_CONFIRMABLE")
    assert await stock_of(gateway, product) == 3


async def test_the_whole_use_case_by_hand(gateway: Api) -> None:
    customer = await a_customer(gateway, name="Bolts Ltd")
    product = await a_product(gateway, stock=5)
    value = {"customer_id": customer["id"], "items": [{"product_id": product["id"], "qty": 2}]}
    order = await gateway.post("/orders", value)
    assert order.status == 201
    path = order.headers["Location"]
    confirmed = await gateway.post(f"{path}/confirm", X_Idempotency_Key=unique("key"))
    assert confirmed.json["status"] == "CONFIRMED"
    assert await stock_of(gateway, product) == 3
    canceled = await gateway.post(f"{path}/cancel")
    assert canceled.json["status"] == "CANCELED"
    assert await stock_of(gateway, product) == 5
    listed = (await gateway.get(f"/orders?customer_id={customer['id']}")).json["data"]
    assert [row["id"] for row in listed] == [order.json["id"]]
