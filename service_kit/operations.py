"""What every service answers to those who run it: health, metrics, its document and its page."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from tornado.routing import URLSpec

from service_kit.application import route
from service_kit.handlers import Access, JsonHandler
from service_kit.metrics import Metrics
from service_kit.page import page_routes
from service_kit.problems import RETRY_AFTER_SECONDS, Busy

Checks = Callable[[], Awaitable[None]]
DocumentSource = Callable[[], Awaitable[dict[str, Any]]]


def operational_routes(check: Checks, metrics: Metrics, document: DocumentSource) -> list[URLSpec]:
    """Return the routes that every service has besides its own."""
    return [
        route("/health", HealthHandler, check=check),
        route("/health/live", LivenessHandler),
        route("/metrics", MetricsHandler, metrics=metrics),
        route("/openapi.json", DocumentHandler, document=document),
        *page_routes(),
    ]


class HealthHandler(JsonHandler):
    """Tells whether the service can do its work."""

    access = Access.PUBLIC
    check: Checks

    async def get(self) -> None:
        """Ask what the service stands on."""
        try:
            await self.check()
        except Busy as problem:
            self.set_header("Retry-After", str(RETRY_AFTER_SECONDS))
            answer = {"status": "unavailable", "reason": problem.detail}
            self.reply(answer, status=HTTPStatus.SERVICE_UNAVAILABLE)
        else:
            self.reply({"status": "ok"})


class LivenessHandler(JsonHandler):
    """Tells that the process runs."""

    access = Access.PUBLIC

    async def get(self) -> None:
        """Answer."""
        self.reply({"status": "ok"})


class MetricsHandler(JsonHandler):
    """Prometheus reads here."""

    access = Access.PUBLIC
    metrics: Metrics

    async def get(self) -> None:
        """Return all metrics as text."""
        self.set_header("Content-Type", self.metrics.content_type)
        self.finish(self.metrics.exposition())


class DocumentHandler(JsonHandler):
    """The OpenAPI document."""

    access = Access.PUBLIC
    document: DocumentSource

    async def get(self) -> None:
        """Return it."""
        self.reply(await self.document())
