"""One running system for all that reads, checks or plays what the documents say."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from local_system.construction import ROOT
from local_system.failures import LocalSystemError
from local_system.system import LocalSystem
from tests import database_servers
from tests.documents import chromium
from tests.documents.docs_page import DocsPage, Watch
from tests.running_systems import running_system

Open = Callable[..., DocsPage]
WIDE = (1440, 900)


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    """A system that the tests of this folder share: none may count on what is in it."""
    database = database_servers.available()[0]
    with running_system(database, tmp_path_factory.mktemp("documents")) as started:
        yield started


@pytest.fixture(scope="session")
def printed_token(system: LocalSystem) -> Callable[..., str]:
    """Return what `scripts/token` prints for this system, with these arguments."""

    def printed(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "local_system.token", *arguments],
            cwd=ROOT,
            env={**os.environ, **system.values["customers_api"]},
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    return printed


# Not for the session: while playwright runs, its event loop keeps asynchronous tests from theirs.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        program = chromium.find_or_install(ROOT / ".run" / "logs" / "chromium.install.log")
    except LocalSystemError as failure:
        pytest.skip(str(failure))
    with chromium.running(program) as started:
        yield started


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Open a service's page with a new profile, in a window of this size."""
    contexts = []

    def opened(base_url: str, path: str = "/docs", size: tuple[int, int] = WIDE) -> DocsPage:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]})
        contexts.append(context)
        watch = Watch()
        watch.follow(context)
        page = DocsPage(context.new_page(), base_url, watch)
        page.open(path)
        return page

    yield opened
    for context in contexts:
        context.close()
