"""Two processes of the Orders API, and one of the Customers API, on one database."""

from collections.abc import Iterator

import aiohttp
import pytest

from tests.apis import Api
from tests.database_servers import TestDatabase
from tests.integration.service_processes import Processes, services


@pytest.fixture(scope="session")
def processes(
    database: TestDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Processes]:
    with services(database, orders=2, folder=tmp_path_factory.mktemp("services")) as running:
        yield running


@pytest.fixture
def customers(processes: Processes, session: aiohttp.ClientSession) -> Api:
    return Api(session, processes.customers)


@pytest.fixture
def doors(processes: Processes, session: aiohttp.ClientSession) -> list[Api]:
    return [Api(session, url) for url in processes.orders]


@pytest.fixture
def orders(doors: list[Api]) -> Api:
    return doors[0]
