"""The composition root: settings in, an application with its table of routes out."""

from pathlib import Path
from typing import Any

from tornado.routing import URLSpec

from customers_api.handlers import CustomerHandler, CustomersHandler, InternalCustomerHandler
from customers_api.service import CustomerService
from customers_api.settings import Settings
from service_kit.application import ServiceApplication, route
from service_kit.database import Database
from service_kit.metrics import Metrics
from service_kit.openapi import build_document
from service_kit.operations import operational_routes
from service_kit.schemas import KIT_SCHEMAS, Schemas
from service_kit.serving import Closer
from service_kit.tokens import Authenticator, OperatorTokens, ServiceTokens

NAME = "customers_api"
VERSION = "1.0.0"
"""Of what clients see, not of the code."""
SCHEMAS = Path(__file__).parent / "schemas"


def routes(customers: CustomerService) -> list[URLSpec]:
    """Return the service's own routes."""
    return [
        route("/customers", CustomersHandler, customers=customers),
        route("/customers/{customer_id}", CustomerHandler, customers=customers),
        route("/internal/customers/{customer_id}", InternalCustomerHandler, customers=customers),
    ]


async def open_application(settings: Settings) -> tuple[ServiceApplication, Closer]:
    """Return the application, and what closes all that it opened."""
    metrics = Metrics()
    schemas = Schemas(KIT_SCHEMAS, SCHEMAS)
    database = Database(settings.database, metrics)
    own = routes(CustomerService(database))
    document = build_document(
        title="Customers API",
        description="Customers of the B2B order back office.",
        version=VERSION,
        routes=own,
        schemas=schemas,
    )

    async def the_document() -> dict[str, Any]:
        return document

    application = ServiceApplication(
        [*own, *operational_routes(database.ping, metrics, the_document)],
        authenticator=Authenticator(
            OperatorTokens(settings.jwt), ServiceTokens(settings.service_tokens)
        ),
        schemas=schemas,
        metrics=metrics,
        log_requests=settings.serving.access_log,
    )
    return application, database.close
