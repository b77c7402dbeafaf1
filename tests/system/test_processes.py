"""Processes that stop, are killed, and come back, while clients call."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from local_system.system import LocalSystem
from tests.apis import Api
from tests.builders import a_product, stock_of, unique
from tests.system.load import finished, some_done, until
from tests.system.orchestrations import PATH, a_request, orders_of

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


def pid_of(system: LocalSystem, name: str) -> int:
    return system.supervisor.states()[name].pid


@asynccontextmanager
async def steady_reads(api: Api, path: str) -> AsyncIterator[list[int]]:
    """Read all the time, one request after the other; collect the statuses (0: no answer)."""
    statuses: list[int] = []
    reading = True

    async def read() -> None:
        while reading:
            try:
                statuses.append((await api.get(path)).status)
            except aiohttp.ClientError:
                statuses.append(0)

    task = asyncio.create_task(read())
    yield statuses
    reading = False
    await task


@pytest.mark.parametrize("victim", ["orders", "customers", "gateway", "emulator-1"])
async def test_orders_are_finished_once_though_a_process_is_killed(
    system: LocalSystem, gateway: Api, victim: str
) -> None:
    product = await a_product(gateway, stock=100)
    requests = [a_request(product) for _ in range(20)]
    calls = [asyncio.create_task(finished(gateway, request)) for request in requests]
    await until(lambda: some_done(calls))
    killed = pid_of(system, victim)

    os.kill(killed, signal.SIGKILL)

    answers = await asyncio.gather(*calls)
    assert {answer.status for answer in answers} == {201}
    assert await stock_of(gateway, product) == 80
    assert len(await orders_of(gateway, product)) == 20
    assert pid_of(system, victim) != killed


async def test_an_emulator_killed_alone_costs_no_call_its_answer(
    system: LocalSystem, gateway: Api
) -> None:
    product = await a_product(gateway, stock=30)
    calls = [asyncio.create_task(gateway.post(PATH, a_request(product))) for _ in range(30)]
    await until(lambda: some_done(calls))

    os.kill(pid_of(system, "emulator-2"), signal.SIGKILL)

    assert {answer.status for answer in await asyncio.gather(*calls)} == {201}
    assert await stock_of(gateway, product) == 0


async def test_a_service_that_is_told_to_stop_finishes_what_runs(
    system: LocalSystem, gateway: Api
) -> None:
    product = await a_product(gateway)
    orders = Api(gateway.session, system.orders_url, gateway.token)
    async with steady_reads(orders, f"/products/{product['id']}") as statuses:
        await until(lambda: has(statuses, 50))
        await asyncio.to_thread(system.supervisor.stop_program, "orders")
        await asyncio.to_thread(system.supervisor.start_program, "orders")
        await until(lambda: answers_again(statuses))

    # While it is down a connection is refused (0); no request that it took in is lost or cut.
    assert set(statuses) == {200, 0}
    assert statuses[: statuses.index(0)] == [200] * statuses.index(0)
    log = (system.logs / "orders.log").read_text()
    assert '"event":"stopped"' in log


async def has(statuses: list[int], count: int) -> bool:
    return len(statuses) >= count


async def answers_again(statuses: list[int]) -> bool:
    return 0 in statuses and statuses[-1] == 200


async def test_the_correlation_id_stands_in_the_logs_of_every_service(
    system: LocalSystem, gateway: Api
) -> None:
    product = await a_product(gateway)
    correlation_id = unique("trace-")

    answer = await gateway.post(PATH, a_request(product, correlation_id=correlation_id))

    assert answer.status == 201
    # A line passes through supervisord on its way into the log.
    await until(lambda: is_logged_everywhere(system, correlation_id))


async def is_logged_everywhere(system: LocalSystem, correlation_id: str) -> bool:
    logs = system.logs.glob("*.log")
    names = {log.name for log in logs if correlation_id in log.read_text(errors="replace")}
    return {"customers.log", "orders.log", "gateway.log"} <= names and bool(
        names & {"emulator-1.log", "emulator-2.log"}
    )


async def test_internal_routes_are_not_reachable_through_the_gateway(
    system: LocalSystem, gateway: Api
) -> None:
    service = gateway.called_with(system.values["orders_api"]["SERVICE_TOKEN"])

    answers = [
        await service.get(path)
        for path in ("/internal/customers/1", "/customers/../internal/customers/1")
    ]

    assert {answer.status for answer in answers} == {404}
    customers = Api(gateway.session, system.customers_url, service.token)
    assert (await customers.get("/internal/customers/1")).status == 200
