"""Containers that die in the middle of load: nothing is lost, nothing is done twice."""

import asyncio

import aiohttp
import pytest

from tests import books
from tests.apis import Api
from tests.builders import a_product
from tests.docker.composition import ComposedSystem
from tests.docker.engine import docker, run
from tests.system.databases import Query
from tests.system.load import finished, some_done, until
from tests.system.orchestrations import INVOCATIONS, a_request, orders_of

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

CALLS = 40


@pytest.mark.parametrize("victim", ["orders-api", "db"])
async def test_every_order_is_finished_once_though_a_container_is_killed(
    system: ComposedSystem, gateway: Api, query: Query, victim: str
) -> None:
    product = await a_product(gateway, stock=100)
    requests = [a_request(product) for _ in range(CALLS)]
    calls = [asyncio.create_task(finished(gateway, request)) for request in requests]
    await until(lambda: some_done(calls))

    await asyncio.to_thread(docker, "kill", system.container(victim))

    assert not all(call.done() for call in calls)
    # Docker takes a kill by hand for a wish: no restart policy starts the container again.
    await asyncio.to_thread(system.start_again, victim)
    answers = await asyncio.gather(*calls)
    assert {answer.status for answer in answers} == {201}
    orders = await orders_of(gateway, product)
    assert [order["status"] for order in orders] == ["CONFIRMED"] * CALLS
    assert books.units(query, product) == (100 - CALLS, CALLS)
    system.examine()


async def test_a_program_that_dies_by_itself_is_started_again(
    system: ComposedSystem, emulator: Api, gateway: Api
) -> None:
    container = system.container("lambda-curl")
    product = await a_product(gateway, stock=3)
    request = a_request(product)
    first = await emulator.post(INVOCATIONS, request)
    # Found by its name: process 1 is the init, which ends with its child.
    kill = (
        "import os, pathlib;"
        " [os.kill(int(p.parent.name), 9) for p in pathlib.Path('/proc').glob('[0-9]*/comm')"
        " if p.read_text().startswith('aws-lambda-rie')]"
    )

    # The command may end with the container, before it can say that it did well.
    command = ("docker", "exec", container, "python", "-c", kill)
    await asyncio.to_thread(run, *command, check=False)

    await until(lambda: has_restarted(system, "lambda-curl"))
    again = await finished_by_emulator(emulator, request)
    assert again["data"] == first.json["data"]
    assert len(await orders_of(gateway, product)) == 1


async def has_restarted(system: ComposedSystem, service: str) -> bool:
    printed = docker("inspect", "--format", "{{.RestartCount}}", system.container(service))
    return int(printed) > 0


async def finished_by_emulator(emulator: Api, request: dict[str, object]) -> dict[str, object]:
    answers: list[dict[str, object]] = []

    async def is_answered() -> bool:
        try:
            answers.append((await emulator.post(INVOCATIONS, request)).json)
        except (aiohttp.ClientError, ValueError):
            return False
        return True

    await until(is_answered)
    return answers[0]
