"""One running system for all that reads, checks or plays what the documents say."""

from collections.abc import Iterator

import pytest

from local_system.system import LocalSystem
from tests import database_servers
from tests.running_systems import running_system


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    """A system that the tests of this folder share: none may count on what is in it."""
    database = database_servers.available()[0]
    with running_system(database, tmp_path_factory.mktemp("documents")) as started:
        yield started
