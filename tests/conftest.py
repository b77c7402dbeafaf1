"""What tests share; what the head of the report says about this machine: what it leaves out."""

import asyncio
from collections.abc import Iterator

import aiohttp
import pytest
from tornado.ioloop import IOLoop

from tests import database_servers
from tests.docker import engine
from tests.documents import chromium

AFTERWARDS_SECONDS = 300
"""The most that such a test may take besides, to start, to heal and to be checked."""

_LONG_SECONDS = pytest.StashKey[float]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--long",
        nargs="?",
        type=float,
        const=10.0,
        default=0.0,
        metavar="MINUTES",
        help="give what breaks the system at random so much time in all (10 minutes if not said)",
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Share the time of a long run out among those tests that can use it."""
    users = [item for item in items if "long_seconds" in getattr(item, "fixturenames", ())]
    seconds = float(config.getoption("--long")) * 60 / max(1, len(users))
    config.stash[_LONG_SECONDS] = seconds
    for item in users:
        item.add_marker(pytest.mark.timeout(seconds + AFTERWARDS_SECONDS))


@pytest.fixture
def long_seconds(request: pytest.FixtureRequest) -> float:
    """Return how long a test of chance may go on: its share of a long run, 0 in a short one."""
    return request.config.stash[_LONG_SECONDS]


def pytest_report_header() -> list[str]:
    missing = engine.missing()
    containers = f"left out, because {missing}" if missing else "built and run here"
    browser = chromium.find() or "to be installed by apt, or left out where that fails"
    databases = ", ".join(database_servers.available()) or "none"
    return [
        f"databases: {databases}",
        f"containers (tests/docker): {containers}",
        f"browser (tests/documents/test_page*.py): {browser}",
    ]


@pytest.fixture
def session(io_loop: IOLoop) -> Iterator[aiohttp.ClientSession]:
    """A client's connections, as many as it likes."""

    async def open_session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    opened = io_loop.run_sync(open_session)
    yield opened
    io_loop.run_sync(opened.close)


@pytest.fixture(scope="session", autouse=True)
def _the_loop_outside_of_tests() -> Iterator[None]:
    """Keep hold of the loop that asyncio would make by itself, and that nobody would close."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    loop.close()
