"""`docker stop`: what a service took in is answered, then it ends well and in time."""

import asyncio
import json
import time
from dataclasses import dataclass, field

import aiohttp
import pytest

from tests import books
from tests.apis import Api
from tests.builders import a_product, unique
from tests.docker.composition import EMULATORS, SERVICES, ComposedSystem
from tests.docker.engine import docker
from tests.system.databases import Query
from tests.system.load import until
from tests.system.orchestrations import PATH, a_request

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

CLIENTS = 8
STOP_SECONDS = 10


@dataclass
class Load:
    """Clients that send one write after the other, each under a correlation id of its own."""

    api: Api
    path: str
    product: dict[str, object]
    statuses: dict[str, int] = field(default_factory=dict)
    """By correlation id; 0 for a request that nobody answered."""

    @property
    def answered(self) -> set[str]:
        """The requests that were answered."""
        return {name for name, status in self.statuses.items() if status}

    async def run(self, stopped: asyncio.Event) -> None:
        """Send until told to stop."""
        async with asyncio.TaskGroup() as clients:
            for _ in range(CLIENTS):
                clients.create_task(self._send(stopped))

    async def _send(self, stopped: asyncio.Event) -> None:
        while not stopped.is_set():
            correlation_id = unique("load-")
            body = a_request(self.product)
            if self.path == "/orders":
                body = {name: body[name] for name in ("customer_id", "items")}
            try:
                answer = await self.api.post(self.path, body, X_Correlation_Id=correlation_id)
                self.statuses[correlation_id] = answer.status
            except aiohttp.ClientError:
                self.statuses[correlation_id] = 0
                await asyncio.sleep(0.05)


@pytest.mark.parametrize("service", ["orders-api", "gateway"])
async def test_a_stopped_service_answers_all_that_it_took_in(
    system: ComposedSystem, gateway: Api, orders: Api, query: Query, service: str
) -> None:
    product = await a_product(gateway, stock=1_000_000)
    load = (
        Load(orders, "/orders", product)
        if service == "orders-api"
        else Load(gateway, PATH, product)
    )
    stopped = asyncio.Event()
    running = asyncio.create_task(load.run(stopped))
    await until(lambda: has_answers(load, 50))

    begun = time.monotonic()
    await asyncio.to_thread(docker, "stop", system.container(service))
    seconds = time.monotonic() - begun

    await until(lambda: is_refused(load))
    stopped.set()
    await running
    state, log = system.state(service), system.log(service)
    await asyncio.to_thread(system.start_again, service)
    assert (state["ExitCode"], state["OOMKilled"]) == (0, False)
    assert seconds < STOP_SECONDS
    # Each line of the log is a request that it took in: none of them is without its answer.
    taken_in = {
        line["correlation_id"]
        for line in map(json.loads, log.splitlines())
        if line["event"] == "request" and line["correlation_id"].startswith("load")
    }
    assert taken_in == load.answered
    assert {load.statuses[name] for name in taken_in} == {201}
    assert json.loads(log.splitlines()[-1])["event"] == "stopped"
    assert books.units(query, product) == (1_000_000 - len(taken_in), len(taken_in))
    system.examine()


async def has_answers(load: Load, count: int) -> bool:
    return len(load.answered) >= count


async def is_refused(load: Load) -> bool:
    return 0 in load.statuses.values()


async def test_the_whole_system_stops_well_and_comes_back_with_its_data(
    system: ComposedSystem, gateway: Api, query: Query
) -> None:
    product = await a_product(gateway, stock=7)

    await asyncio.to_thread(system.compose, "stop", seconds=120)

    ended = {name: system.state(name) for name in ("db", *SERVICES, *EMULATORS)}
    assert {name: state["ExitCode"] for name, state in ended.items()} == dict.fromkeys(ended, 0)
    await asyncio.to_thread(system.start)
    assert (await gateway.get(f"/products/{product['id']}")).json["stock"] == 7
    system.examine()
