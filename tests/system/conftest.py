"""A whole system beside all others: every process real, on free ports, with fresh secrets."""

import functools
import secrets
import shutil
from collections.abc import Callable, Iterator

import aiohttp
import pytest
from tornado.ioloop import IOLoop

from local_system.construction import temporary_system
from local_system.system import LocalSystem
from tests import database_servers
from tests.apis import Api, token
from tests.system import databases
from tests.system.databases import Query

TOKEN_VARIABLES = ("JWT_SECRET", "JWT_ISSUER", "JWT_AUDIENCE")


@pytest.fixture(scope="session", params=database_servers.available())
def system(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalSystem]:
    folder = tmp_path_factory.mktemp("system")
    with database_servers.server(request.param, folder / "database") as server:
        mark = secrets.token_hex(3)
        given = {"MYSQL_DATABASE": f"system_{mark}", "ACCOUNT_SUFFIX": f"_{mark}"}
        started = temporary_system(folder / "run", given, server)
        started.start()
        try:
            yield started
        finally:
            started.stop()
    shutil.rmtree(folder)


@pytest.fixture
def session(io_loop: IOLoop) -> Iterator[aiohttp.ClientSession]:
    async def open_session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    opened = io_loop.run_sync(open_session)
    yield opened
    io_loop.run_sync(opened.close)


def token_of(system: LocalSystem, role: str = "operator") -> str:
    secret, issuer, audience = (system.values["gateway"][name] for name in TOKEN_VARIABLES)
    return token(role, secret=secret, iss=issuer, aud=audience)


@pytest.fixture
def gateway(system: LocalSystem, session: aiohttp.ClientSession) -> Api:
    return Api(session, system.gateway_url, token_of(system))


@pytest.fixture
def viewer(system: LocalSystem, session: aiohttp.ClientSession) -> Api:
    return Api(session, system.gateway_url, token_of(system, "viewer"))


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
