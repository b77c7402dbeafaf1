"""The packaged template under AWS's own local tool: its route, its integration, its function."""

from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from local_system.ports import ADDRESS, free_ports
from local_system.system import LocalSystem
from tests.apis import Api
from tests.builders import a_product
from tests.deploy.servers import running_program, wait_for
from tests.docker import engine
from tests.running_systems import token_of
from tests.system.orchestrations import PATH, a_request, failure_of

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def sam_url(
    clone: Path, told: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Run scripts/sam-local in front of our APIs; return its URL."""
    if engine.missing():
        pytest.skip(engine.missing())
    (port,) = free_ports(1)
    # As a shell's background job, whose SIGINT is ignored: it must end all the same.
    command = ["env", "--ignore-signal=INT", str(clone / "scripts" / "sam-local")]
    command += ["--port", str(port)]
    log = tmp_path_factory.mktemp("sam-local") / "sam.log"
    (clone / "orchestrator_image" / ".env").write_text(
        "".join(f"{name}={value}\n" for name, value in told.items())
    )
    url = f"http://{ADDRESS}:{port}"
    with running_program(command, log, engine.environment()):
        try:
            wait_for(url)
        except AssertionError as failure:
            raise AssertionError(log.read_text()) from failure
        yield url


async def test_the_route_of_the_template_takes_an_order(sam_url: str, system: LocalSystem) -> None:
    operator = token_of(system)
    async with aiohttp.ClientSession() as session:
        orders = Api(session, system.orders_url, operator)
        product = await a_product(orders)

        answer = await Api(session, sam_url, operator).post(PATH, a_request(product, qty=2))

        order = (await orders.get(f"/orders/{answer.json['data']['order']['id']}")).json
    assert answer.status == 201
    assert (order["status"], order["items"][0]["qty"]) == ("CONFIRMED", 2)


async def test_nobody_gets_in_without_a_token(sam_url: str) -> None:
    async with aiohttp.ClientSession() as session:
        answer = await Api(session, sam_url, None).post(PATH, {})

    assert failure_of(answer) == (401, "UNAUTHORIZED")


async def test_the_api_has_no_other_route(sam_url: str) -> None:
    async with aiohttp.ClientSession() as session:
        other = Api(session, sam_url, None)

        assert [(await other.get(PATH)).status, (await other.post("/customers", {})).status] == [
            403,
            403,
        ]
