"""The composition root: settings in, an application with its table of routes out."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from orders_api.circuit import Circuit
from orders_api.customers_client import CustomersClient
from orders_api.document import SCHEMAS, document
from orders_api.idempotency import IdempotencyKeys
from orders_api.orders.service import OrderService
from orders_api.products.service import ProductService
from orders_api.routes import routes
from orders_api.settings import Settings
from service_kit.admission import Admission
from service_kit.application import ServiceApplication
from service_kit.database import Database
from service_kit.metrics import Metrics
from service_kit.operations import built_once, operational_routes
from service_kit.retrying import Backoff
from service_kit.schemas import KIT_SCHEMAS, Schemas
from service_kit.serving import Closer
from service_kit.tokens import Authenticator, OperatorTokens, ServiceTokens
from service_kit.upstream import Timeouts, Upstream, open_session

NAME = "orders_api"
PURGE_PAUSE_SECONDS = 60.0
CUSTOMERS_TIMEOUTS = Timeouts(connect=1.0, total=2.0)
CUSTOMERS_BACKOFF = Backoff(base_seconds=0.05, cap_seconds=0.5, attempts=3)


async def open_application(settings: Settings) -> tuple[ServiceApplication, Closer]:
    """Return the application, and what closes all that it opened."""
    metrics = Metrics()
    schemas = Schemas(KIT_SCHEMAS, SCHEMAS)
    database = Database(settings.database, metrics)
    service_tokens = ServiceTokens(settings.service_tokens)
    session = open_session()
    customers = CustomersClient(
        Upstream(
            session,
            settings.customers_api_base,
            service_tokens.authorization,
            CUSTOMERS_TIMEOUTS,
            CUSTOMERS_BACKOFF,
        ),
        Circuit(settings.circuit_failures, settings.circuit_open_seconds, metrics),
    )
    replays = metrics.counter("idempotent_replays_total", "Responses that were sent again.")
    keys = IdempotencyKeys(database, settings.idempotency_ttl_seconds, replays.inc)
    own = routes(
        ProductService(database),
        OrderService(database, customers, keys, timedelta(seconds=settings.cancel_window_seconds)),
    )
    application = ServiceApplication(
        [*own, *operational_routes(database.ping, metrics, built_once(document))],
        authenticator=Authenticator(OperatorTokens(settings.jwt), service_tokens),
        schemas=schemas,
        metrics=metrics,
        log_requests=settings.serving.access_log,
        admission=Admission(),
    )
    purge = asyncio.create_task(keys.purge_for_ever(PURGE_PAUSE_SECONDS))

    async def close() -> None:
        purge.cancel()
        with suppress(asyncio.CancelledError):
            await purge
        await session.close()
        await database.close()

    return application, close
