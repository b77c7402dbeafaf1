"""Every route of every service, with every credential.

The routes are those that the running services have. What each is meant to let in is written down
here once more: a route that nobody has thought about fails the first test.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tornado.ioloop import IOLoop

import gateway.app
import gateway.settings
from gateway.orchestration import PATH as ORCHESTRATION
from service_kit.application import ServiceApplication
from service_kit.handlers import Access, JsonHandler
from tests import database_servers
from tests.apis import JWT_VARIABLES, SERVICE_TOKEN, Answer, Api, token
from tests.integration.credentials import BAD_CREDENTIALS, SHORT_FOR_HS512
from tests.integration.gateway_emulators import FakeEmulator

OPEN, OPERATORS, SERVICES, BOTH = "open", "operators", "services", "both"
OPERATIONAL = {
    "/health": OPEN,
    "/health/live": OPEN,
    "/metrics": OPEN,
    "/openapi.json": OPEN,
    "/docs": OPEN,
    "/docs/": OPEN,
    "/docs/{asset}": OPEN,
}
OWN = {
    "customers": {
        "/customers": OPERATORS,
        "/customers/{customer_id}": OPERATORS,
        "/internal/customers/{customer_id}": SERVICES,
    },
    "orders": {
        "/products": BOTH,
        "/products/{product_id}": BOTH,
        "/orders": BOTH,
        "/orders/{order_id}": BOTH,
        "/orders/{order_id}/confirm": BOTH,
        "/orders/{order_id}/cancel": BOTH,
    },
    "gateway": {
        "/": OPEN,
        ORCHESTRATION: OPERATORS,
        # The services behind them ask: they are called through the gateway below.
        "/customers/*": OPEN,
        "/products/*": OPEN,
        "/orders/*": OPEN,
    },
}
LETS_IN = {
    Access.PUBLIC: OPEN,
    Access.OPERATORS: OPERATORS,
    Access.SERVICES: SERVICES,
    Access.OPERATORS_AND_SERVICES: BOTH,
}
EXAMPLES = {"asset": "start.js"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
NOBODY = 2**62
"""An id that no row has: whoever may call changes nothing."""


# Who may come in is decided before the database is asked anything: one server is enough.
pytestmark = pytest.mark.parametrize(
    "database", database_servers.available()[:1], indirect=True, scope="session"
)


@pytest.fixture
def emulator(io_loop: IOLoop) -> Iterator[FakeEmulator]:
    fake = FakeEmulator()
    io_loop.run_sync(fake.start)
    yield fake
    io_loop.run_sync(fake.stop)


@pytest.fixture
def services(
    customers: Api, orders: Api, emulator: FakeEmulator, serve: Callable[[Any], Api]
) -> dict[str, Api]:
    """Return both services, and a gateway in front of them."""
    settings = gateway.settings.load(
        {
            **JWT_VARIABLES,
            "SERVICE_TOKEN": SERVICE_TOKEN,
            "ACCESS_LOG": "off",
            "RATE_LIMIT": "off",
            "CUSTOMERS_API_BASE": customers.base_url,
            "ORDERS_API_BASE": orders.base_url,
            "LAMBDA_ENDPOINTS": emulator.base_url,
        }
    )
    front = serve(lambda: gateway.app.open_application(settings))
    return {"customers": customers, "orders": orders, "gateway": front}


@dataclass(frozen=True, slots=True)
class Door:
    """A method of a route, where it is called, and whom it is meant to let in."""

    service: str
    method: str
    path: str
    lets_in: str

    def __str__(self) -> str:
        return f"{self.method} {self.path} of {self.service}"


def handlers(application: ServiceApplication) -> dict[str, type[JsonHandler]]:
    """Return the handlers of an application's routes, by their templates."""
    (everything,) = application.default_router.rules
    assert everything.target is application.wildcard_router
    return {rule.target_kwargs["route"]: rule.target for rule in application.wildcard_router.rules}


@pytest.fixture
def doors(services: dict[str, Api], applications: dict[str, ServiceApplication]) -> list[Door]:
    """Return every method of every route; those of the services through the gateway as well."""
    found = []
    for name, api in services.items():
        for route, handler in handlers(applications[api.base_url]).items():
            if route.endswith("/*"):
                continue
            path = re.sub(r"\{(\w+)\}", lambda m: EXAMPLES.get(m[1], str(NOBODY)), route)
            lets_in = (OWN[name] | OPERATIONAL)[route]
            for method in handler.allowed_methods():
                found.append(Door(name, method, path, lets_in))
                if name != "gateway" and route in OWN[name] and lets_in != SERVICES:
                    found.append(Door("gateway", method, path, lets_in))
    return found


async def knock(services: dict[str, Api], door: Door, credential: str | None) -> Answer:
    """Call with a body that nobody takes: who may not come in is told so first."""
    api = services[door.service].called_with(credential)
    return await api.call(door.method, door.path, data=b"not json")


def test_every_route_is_written_down_here(
    services: dict[str, Api], applications: dict[str, ServiceApplication]
) -> None:
    for name, api in services.items():
        found = {
            route: LETS_IN[handler.access]
            for route, handler in handlers(applications[api.base_url]).items()
        }
        assert found == OWN[name] | OPERATIONAL


def test_there_is_something_behind_each_kind_of_door(doors: list[Door]) -> None:
    by_kind = Counter(door.lets_in for door in doors)

    assert by_kind[OPERATORS] >= 10
    assert by_kind[BOTH] >= 20
    assert by_kind[SERVICES] == 2
    assert by_kind[OPEN] >= 36


@SHORT_FOR_HS512
@pytest.mark.parametrize("credential", BAD_CREDENTIALS.values(), ids=BAD_CREDENTIALS)
async def test_no_bad_credential_opens_a_door_that_is_not_open(
    services: dict[str, Api], doors: list[Door], credential: Callable[[], str | None]
) -> None:
    for door in doors:
        answer = await knock(services, door, credential())
        if door.lets_in == OPEN:
            assert answer.status not in {401, 403}, door
        else:
            assert answer.status == 401, door
            assert answer.headers["WWW-Authenticate"] == "Bearer", door


@pytest.mark.parametrize(
    ("credential", "is_let_in"),
    [
        pytest.param(
            lambda: token("operator"),
            lambda door: door.lets_in in {OPEN, OPERATORS, BOTH},
            id="operator",
        ),
        pytest.param(
            lambda: token("viewer"),
            lambda door: (
                door.lets_in == OPEN
                or (door.lets_in in {OPERATORS, BOTH} and door.method in {"GET", "HEAD"})
            ),
            id="viewer",
        ),
        pytest.param(
            lambda: SERVICE_TOKEN,
            lambda door: door.lets_in in {OPEN, SERVICES, BOTH},
            id="service",
        ),
        pytest.param(
            lambda: token("admin"), lambda door: door.lets_in == OPEN, id="no role of ours"
        ),
    ],
)
async def test_a_good_credential_opens_its_own_doors_and_no_others(
    services: dict[str, Api],
    doors: list[Door],
    credential: Callable[[], str],
    is_let_in: Callable[[Door], bool],
) -> None:
    for door in doors:
        answer = await knock(services, door, credential())
        if is_let_in(door):
            assert answer.status not in {401, 403}, door
        else:
            assert answer.status == 403, door


@pytest.mark.parametrize(
    "credential", [None, token(), SERVICE_TOKEN], ids=["none", "operator", "service"]
)
async def test_methods_that_a_route_does_not_have_do_nothing(
    services: dict[str, Api],
    applications: dict[str, ServiceApplication],
    credential: str | None,
) -> None:
    for name, api in services.items():
        for route, handler in handlers(applications[api.base_url]).items():
            path = re.sub(r"\{\w+\}", str(NOBODY), route.removesuffix("/*"))
            for method in set(METHODS) - set(handler.allowed_methods()):
                answer = await knock(services, Door(name, method, path, OPEN), credential)
                assert answer.status == 405, (name, method, path)


async def test_nothing_of_the_services_own_is_reached_through_the_gateway(
    services: dict[str, Api], emulator: FakeEmulator
) -> None:
    for credential in (None, token(), SERVICE_TOKEN):
        for method in METHODS:
            answer = await knock(
                services, Door("gateway", method, "/internal/customers/1", SERVICES), credential
            )
            assert answer.status == 404, (method, credential)
    assert emulator.received == []
