"""The composition root: settings in, an application with its table of routes out."""

import asyncio
from collections.abc import Sequence
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

from gateway import emulator
from gateway.document import own_document, own_schemas
from gateway.documents import CombinedDocument
from gateway.emulator import Emulator
from gateway.emulator_pool import EmulatorPool
from gateway.orchestration import PATH, OrchestrationRefusalHandler
from gateway.patience import PATIENCE, Patience
from gateway.rate_limit import RateLimit
from gateway.routes import routes
from gateway.services import CONNECTIONS, Service
from gateway.settings import Settings
from service_kit.application import ServiceApplication
from service_kit.handlers import RefusalHandler
from service_kit.metrics import Metrics
from service_kit.operations import built_once, operational_routes
from service_kit.problems import Busy
from service_kit.serving import Closer
from service_kit.tokens import Authenticator, OperatorTokens, ServiceTokens
from service_kit.upstream import open_session

NAME = "gateway"


class GatewayApplication(ServiceApplication):
    """The kit's application, whose refusals on the orchestrator's path look as those behind it."""

    def get_handler_delegate(
        self,
        request: HTTPServerRequest,
        target_class: type[RequestHandler],
        *rest: Any,
        **more: Any,
    ) -> Any:
        """Return what handles a request."""
        if target_class is RefusalHandler and request.path == PATH:
            target_class = OrchestrationRefusalHandler
        return super().get_handler_delegate(request, target_class, *rest, **more)


async def open_application(
    settings: Settings, patience: Patience = PATIENCE
) -> tuple[ServiceApplication, Closer]:
    """Return the application, and what closes all that it opened."""
    metrics = Metrics()
    schemas = own_schemas()
    sessions = [open_session(CONNECTIONS), open_session(CONNECTIONS)]
    customers, orders = services = [
        Service(name, base_url, session, patience.services)
        for name, base_url, session in zip(
            ("The Customers API", "The Orders API"),
            (settings.customers_api_base, settings.orders_api_base),
            sessions,
            strict=True,
        )
    ]
    invocations = emulator.open_session(patience.emulators.connect)
    emulators = EmulatorPool(
        [
            Emulator(invocations, endpoint, patience.emulators.connect)
            for endpoint in settings.lambda_endpoints
        ],
        settings.lambda_timeout_seconds,
        patience.emulators,
        metrics,
    )
    authenticator = Authenticator(
        OperatorTokens(settings.jwt), ServiceTokens(settings.service_tokens)
    )
    rate_limit = RateLimit(settings.rate_limit, authenticator, metrics)
    own = routes(customers, orders, emulators, rate_limit, patience.services.client)
    combined = CombinedDocument(
        services,
        built_once(own_document),
        kept_seconds=patience.document_kept,
        failure_kept_seconds=patience.document_failure_kept,
    )

    async def check() -> None:
        await _check(services, emulators)

    application = GatewayApplication(
        [*own, *operational_routes(check, metrics, combined.get, patience.health_kept)],
        authenticator=authenticator,
        schemas=schemas,
        metrics=metrics,
        log_requests=settings.serving.access_log,
    )

    async def close() -> None:
        await emulators.close()
        for session in (invocations, *sessions):
            await session.close()

    return application, close


async def _check(services: Sequence[Service], emulators: EmulatorPool) -> None:
    """Ask all that the gateway stands on.

    Raises:
        Busy: names what is away.
    """
    healthy, no_emulator = await asyncio.gather(
        asyncio.gather(*(service.is_healthy() for service in services)),
        _no_emulator(emulators),
    )
    away = [s.name for s, is_healthy in zip(services, healthy, strict=True) if not is_healthy]
    sentences = [*(f"{name} is unavailable." for name in away), *no_emulator]
    if sentences:
        raise Busy(" ".join(sentences))


async def _no_emulator(emulators: EmulatorPool) -> list[str]:
    try:
        await emulators.check()
    except Busy as problem:
        return [problem.detail]
    return []
