"""Images that are built once, and a composed system of them, for all tests here."""

from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import pytest

from local_system import environment
from service_kit.settings import Environment
from service_kit.tokens import OperatorTokens, Role
from tests.apis import Api
from tests.docker import composition, engine
from tests.docker.composition import ComposedSystem
from tests.system.databases import Query

TOKEN_SECONDS = 3600


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clean copy of the repository with the `.env` files of the three steps."""
    if engine.missing():
        pytest.skip(engine.missing())
    folder = composition.clean_copy(tmp_path_factory.mktemp("clone") / "back-office")
    composition.copy_examples(folder)
    return folder


@pytest.fixture(scope="session")
def images(clone: Path) -> None:
    """Build all images, from the layers that the engine has kept if there are any."""
    engine.run(
        str(clone / "scripts" / "build"),
        "--tag",
        composition.TAG,
        seconds=composition.BUILD_SECONDS,
    )


@pytest.fixture(scope="session")
def system(clone: Path) -> Iterator[ComposedSystem]:
    composed = ComposedSystem(clone)
    try:
        composed.start()
        yield composed
    finally:
        composed.remove()


def token_of(system: ComposedSystem, role: Role) -> str:
    file = environment.env_file(system.clone, "customers_api")
    settings = Environment(environment.read(file)).jwt()
    return OperatorTokens(settings).issue("tester", role, TOKEN_SECONDS)


@pytest.fixture
def gateway(system: ComposedSystem, session: aiohttp.ClientSession) -> Api:
    return Api(session, system.url("GATEWAY_PORT"), token_of(system, Role.OPERATOR))


@pytest.fixture
def viewer(system: ComposedSystem, session: aiohttp.ClientSession) -> Api:
    return Api(session, system.url("GATEWAY_PORT"), token_of(system, Role.VIEWER))


@pytest.fixture
def orders(system: ComposedSystem, session: aiohttp.ClientSession) -> Api:
    return Api(session, system.url("ORDERS_PORT"), token_of(system, Role.OPERATOR))


@pytest.fixture
def emulator(system: ComposedSystem, session: aiohttp.ClientSession) -> Api:
    """Return the emulator for people with curl."""
    return Api(session, system.url("RIE_PORT"), None)


@pytest.fixture
def query(system: ComposedSystem) -> Query:
    """Run a statement as the administrator."""
    return system.query


@pytest.fixture
def emulator_pids(system: ComposedSystem) -> Callable[[], dict[str, int]]:
    """Tell the emulators' processes, by name."""

    def pids() -> dict[str, int]:
        return {name: int(system.state(name)["Pid"]) for name in composition.EMULATORS}

    return pids
