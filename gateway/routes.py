"""The table of routes."""

from tornado.routing import URLSpec
from tornado.web import url

from gateway.emulator_pool import EmulatorPool
from gateway.orchestration import PATH, OrchestrationHandler
from gateway.proxy import ProxyHandler
from gateway.rate_limit import RateLimit
from gateway.services import Service
from service_kit.application import route
from service_kit.page import ToPageHandler


def routes(
    customers: Service | None = None,
    orders: Service | None = None,
    emulators: EmulatorPool | None = None,
    rate_limit: RateLimit | None = None,
    client_seconds: float = 0,
) -> list[URLSpec]:
    """Return the gateway's own routes; without what they work with they are there to be described.

    What is passed through is described by the services.
    """

    def passed_through(path: str, service: Service | None) -> URLSpec:
        """Return the route of a path and of all below it."""
        collaborators = {
            "route": f"{path}/*",
            "service": service,
            "rate_limit": rate_limit,
            "client_seconds": client_seconds,
        }
        return url(rf"{path}(?:/.*)?", ProxyHandler, collaborators)

    return [
        route("/", ToPageHandler),
        route(PATH, OrchestrationHandler, emulators=emulators, rate_limit=rate_limit),
        passed_through("/customers", customers),
        passed_through("/products", orders),
        passed_through("/orders", orders),
    ]
