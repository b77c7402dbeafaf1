"""What tests share: services, each with its real database, and gateways before acted ones.

All are on free ports in the test's own loop.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from tornado.ioloop import IOLoop

import customers_api.app
import customers_api.settings
import orders_api.app
import orders_api.settings
from orchestrator_image.function import Function
from tests import database_servers
from tests.apis import JWT_VARIABLES, SERVICE_TOKEN, Api
from tests.database_servers import TestDatabase
from tests.integration.fake_customers import FakeCustomers
from tests.integration.gateway_calls import System, a_system
from tests.integration.listening import listen
from tests.integration.orchestrator_calls import orchestrator
from tests.integration.orchestrator_upstreams import BackOffice, back_office
from tests.integration.pools import Counters, Watcher, counters

if TYPE_CHECKING:
    from service_kit.application import ServiceApplication
    from service_kit.serving import Closer

Start = Callable[..., Api]


@pytest.fixture(scope="session", params=database_servers.available())
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestDatabase]:
    folder = tmp_path_factory.mktemp("database")
    with database_servers.server(request.param, folder) as server:
        yield database_servers.create_database(server)


@pytest.fixture
def applications() -> dict[str, "ServiceApplication"]:
    """The applications that `serve` has started, by their base URLs."""
    return {}


@pytest.fixture
def serve(
    io_loop: IOLoop, session: aiohttp.ClientSession, applications: dict[str, "ServiceApplication"]
) -> Iterator[Callable[..., Api]]:
    """Start an application and return its API; all are stopped at the end of the test."""
    closers: list[Closer] = []

    def start(open_application: Callable[[], Any], document: str | None = None) -> Api:
        async def open_and_listen() -> str:
            application: ServiceApplication
            application, close = await open_application()
            base_url, stop = listen(application, close)
            closers.append(stop)
            applications[base_url] = application
            return base_url

        return Api(session, io_loop.run_sync(open_and_listen), document=document)

    yield start
    for close in reversed(closers):
        io_loop.run_sync(close)


@pytest.fixture
def start_customers(serve: Callable[..., Api], database: TestDatabase) -> Start:
    def start(**variables: str) -> Api:
        settings = customers_api.settings.load(
            {
                **JWT_VARIABLES,
                "SERVICE_TOKEN": SERVICE_TOKEN,
                "ACCESS_LOG": "off",
                **database.customers_variables(),
                **variables,
            }
        )
        return serve(
            lambda: customers_api.app.open_application(settings), "customers_api/openapi.yaml"
        )

    return start


@pytest.fixture
def start_orders(serve: Callable[..., Api], database: TestDatabase) -> Start:
    def start(customers_base: str, **variables: str) -> Api:
        settings = orders_api.settings.load(
            {
                **JWT_VARIABLES,
                "SERVICE_TOKEN": SERVICE_TOKEN,
                "ACCESS_LOG": "off",
                "CUSTOMERS_API_BASE": customers_base,
                **database.orders_variables(),
                **variables,
            }
        )
        return serve(lambda: orders_api.app.open_application(settings), "orders_api/openapi.yaml")

    return start


@pytest.fixture
def customers(start_customers: Start) -> Api:
    return start_customers()


@pytest.fixture
def orders(customers: Api, start_orders: Start) -> Api:
    return start_orders(customers.base_url)


@pytest.fixture
def system(io_loop: IOLoop, session: aiohttp.ClientSession) -> Iterator[System]:
    """What stands behind gateways: services and an emulator, all of them acting."""
    with a_system(io_loop, session) as system:
        yield system


@pytest.fixture
def gateway(io_loop: IOLoop, system: System) -> Api:
    api: Api = io_loop.run_sync(system.gateway)
    return api


@pytest.fixture
def services() -> Iterator[BackOffice]:
    """What the function calls: both services, acting."""
    with back_office() as services:
        yield services


@pytest.fixture
def function(services: BackOffice) -> Iterator[Function]:
    """The orchestrator, in this process."""
    with orchestrator(services.base_url) as function:
        yield function


@pytest.fixture
def fake(serve: Callable[[Any], Api]) -> FakeCustomers:
    """A Customers API that answers as a test plans it."""
    customers = FakeCustomers()
    customers.base_url = serve(customers.open).base_url
    return customers


@pytest.fixture(scope="module")
def table(database: TestDatabase) -> Iterator[Counters]:
    """A table for tests of the pool of connections."""
    with counters(database) as made:
        yield made


@pytest.fixture
def counter(table: Counters) -> int:
    return table.add()


@pytest.fixture
def watcher() -> Watcher:
    return Watcher()
