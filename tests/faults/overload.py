"""More clients than there is room for: that it came to this is seen in the service's metrics."""

import asyncio
from collections.abc import Mapping
from contextlib import closing

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from local_system.wiring import url
from tests.faults.lock_faults import hold_rows
from tests.faults.scene import Scene, Strike
from tests.faults.stage import POOL, WORKERS
from tests.system.load import until

_IN_USE = "database_connections_in_use"
_ANSWERED = "http_requests_total"


async def _hold_up_all(scene: Scene) -> None:
    """Hold the products until every connection waits for them, and until somebody is refused."""
    async with aiohttp.ClientSession(url(scene.stage.system.ports.orders)) as orders:

        async def is_full() -> bool:
            return (await _load(orders))[_IN_USE] == POOL * WORKERS

        async def is_refusing() -> bool:
            return (await _load(orders))[_ANSWERED] > before

        with closing(await asyncio.to_thread(scene.stage.connect)) as connection:
            # Beside the loop: its wires bring those to their ends who hold the products now.
            await asyncio.to_thread(hold_rows, connection, scene.products)
            await until(is_full)
            before = (await _load(orders))[_ANSWERED]
            await until(is_refusing)
            await scene.last(5)
            await asyncio.to_thread(connection.rollback)
    scene.struck[NO_ROOM_LEFT.name] += 1


async def _load(orders: aiohttp.ClientSession) -> Mapping[str, float]:
    """Return how many connections requests hold, and how many requests were told to come again."""
    async with orders.get("/metrics") as response:
        families = text_string_to_metric_families(await response.text())
    samples = [sample for family in families for sample in family.samples]
    refused = (one for one in samples if one.labels.get("status") == "503")
    return {
        _IN_USE: sum(one.value for one in samples if one.name == _IN_USE),
        _ANSWERED: sum(one.value for one in refused if one.name == _ANSWERED),
    }


NO_ROOM_LEFT = Strike("no connection free, and orders refused", _hold_up_all)
