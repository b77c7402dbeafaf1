"""Calls to the orchestrator, through the gateway and by the emulator."""

import asyncio
import time
from typing import Any

import aiohttp

from tests.apis import Answer, Api
from tests.builders import unique
from tests.waiting import POLL_SECONDS

PATH = "/orchestrator/create-and-confirm-order"
INVOCATIONS = "/2015-03-31/functions/function/invocations"


def a_request(product: dict[str, Any], qty: int = 1, **members: Any) -> dict[str, Any]:
    """Return the body of a call, for the first customer of the seed."""
    return {
        "customer_id": 1,
        "items": [{"product_id": product["id"], "qty": qty}],
        "idempotency_key": unique("key"),
        **members,
    }


async def first_answer(emulator: Api, event: Any, seconds: float = 30) -> Any:
    """Return what an emulator answers that may still be starting."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return (await emulator.post(INVOCATIONS, event)).json
        except aiohttp.ClientConnectionError:
            assert time.monotonic() < deadline, "the emulator does not answer"
            await asyncio.sleep(POLL_SECONDS)


def failure_of(answer: Answer) -> tuple[int, str]:
    """Return status and code of a refused call; its shape is checked on the way."""
    failure = answer.json
    assert failure["success"] is False
    assert failure["correlationId"] == answer.headers["X-Correlation-Id"]
    assert failure["error"]["message"]
    return answer.status, failure["error"]["code"]


async def orders_of(gateway: Api, product: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the orders that hold units of a product, newest first."""
    listed = await gateway.pages("/orders?customer_id=1&limit=100")
    orders = [(await gateway.get(f"/orders/{order['id']}")).json for order in listed]
    return [order for order in orders if order["items"][0]["product_id"] == product["id"]]
