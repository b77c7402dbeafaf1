"""A whole system beside all others: every process real, on free ports, with fresh secrets."""

import functools
from collections.abc import Callable, Iterator

import aiohttp
import pytest

from local_system.system import LocalSystem
from tests import database_servers
from tests.apis import Api
from tests.running_systems import running_system, token_of
from tests.system import databases
from tests.system.databases import Query

GATEWAY = "gateway/openapi.yaml"


@pytest.fixture(scope="session", params=database_servers.available())
def system(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalSystem]:
    with running_system(request.param, tmp_path_factory.mktemp("system")) as started:
        yield started


@pytest.fixture
def gateway(system: LocalSystem, session: aiohttp.ClientSession) -> Api:
    return Api(session, system.gateway_url, token_of(system), GATEWAY)


@pytest.fixture
def viewer(system: LocalSystem, session: aiohttp.ClientSession) -> Api:
    return Api(session, system.gateway_url, token_of(system, "viewer"), GATEWAY)


@pytest.fixture
def emulator(system: LocalSystem, session: aiohttp.ClientSession) -> Api:
    """Return the emulator for people with curl."""
    return Api(session, system.emulator_url, None)


@pytest.fixture
def query(system: LocalSystem) -> Query:
    """Run a statement as the administrator."""
    return functools.partial(databases.query, system)


@pytest.fixture
def emulator_pids(system: LocalSystem) -> Callable[[], dict[str, int]]:
    """Tell the emulators' processes, by name."""

    def pids() -> dict[str, int]:
        states = system.supervisor.states()
        return {name: state.pid for name, state in states.items() if name.startswith("emulator")}

    return pids
