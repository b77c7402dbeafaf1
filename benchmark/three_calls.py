"""The three calls of an orchestration alone, by aiohttp: the floor below an invocation.

Run in the function's image, by its Python: ``python three_calls.py COUNT``, with the services'
addresses, token, customer and product in the environment. Prints one JSON object.
"""

import asyncio
import json
import os
import statistics
import sys
import time
import uuid
from typing import Any

import aiohttp

_WARM_UP = 20


async def _order(session: aiohttp.ClientSession) -> None:
    customer_id, product_id = int(os.environ["CUSTOMER_ID"]), int(os.environ["PRODUCT_ID"])
    customers, orders = os.environ["CUSTOMERS_API_BASE"], os.environ["ORDERS_API_BASE"]
    order = {"customer_id": customer_id, "items": [{"product_id": product_id, "qty": 1}]}
    await _call(session, "GET", f"{customers}/internal/customers/{customer_id}")
    created = await _call(session, "POST", f"{orders}/orders", order)
    await _call(session, "POST", f"{orders}/orders/{created['id']}/confirm")


async def _call(session: aiohttp.ClientSession, method: str, url: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {os.environ['SERVICE_TOKEN'].partition(',')[0]}"}
    if method == "POST":
        headers["X-Idempotency-Key"] = str(uuid.uuid4())
    async with session.request(method, url, json=body, headers=headers) as response:
        response.raise_for_status()
        return await response.json()


async def _main(count: int) -> dict[str, float]:
    async with aiohttp.ClientSession() as session:
        for _ in range(_WARM_UP):
            await _order(session)
        milliseconds = []
        cpu = time.process_time()
        for _ in range(count):
            began = time.perf_counter()
            await _order(session)
            milliseconds.append((time.perf_counter() - began) * 1000)
        cpu = time.process_time() - cpu
    return {"cpu_ms": cpu * 1000 / count, "p50_ms": statistics.median(milliseconds)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_main(int(sys.argv[1])))))
