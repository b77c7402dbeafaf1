"""Two processes of the Orders API, and one of the Customers API, on one database; and a door to it
behind which a request can be stopped between its statements.
"""

from collections.abc import Callable, Iterator

import aiohttp
import pytest
from tornado.ioloop import IOLoop

from tests.apis import Api
from tests.database_servers import TestDatabase
from tests.integration.races.stops import StopsAt
from tests.integration.service_processes import Processes, services
from tests.wires import Wire, mysql_packet


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


@pytest.fixture
def stop(io_loop: IOLoop) -> StopsAt:
    async def made_in_the_loop() -> StopsAt:
        return StopsAt()

    stop: StopsAt = io_loop.run_sync(made_in_the_loop)
    return stop


@pytest.fixture
def wire(io_loop: IOLoop, database: TestDatabase, stop: StopsAt) -> Iterator[Wire]:
    laid = Wire(database.admin.host, database.admin.port, mysql_packet, stop.choose)
    io_loop.run_sync(laid.open)
    yield laid
    io_loop.run_sync(laid.close)


@pytest.fixture
def stopped_door(wire: Wire, customers: Api, start_orders: Callable[..., Api]) -> Api:
    return start_orders(customers.base_url, MYSQL_PORT=str(wire.own_port))
