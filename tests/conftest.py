"""What the head of the report says about this machine: which tests it leaves out, and why."""

import asyncio
from collections.abc import Iterator

import pytest

from tests import database_servers
from tests.docker import engine
from tests.documents import chromium


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


@pytest.fixture(scope="session", autouse=True)
def _the_loop_outside_of_tests() -> Iterator[None]:
    """Keep hold of the loop that asyncio would make by itself, and that nobody would close."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    loop.close()
