"""What every service answers to those who run it: health, metrics, its document and its page."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from tornado.routing import URLSpec

from service_kit import jsons, versions
from service_kit.application import route
from service_kit.handlers import Access, JsonHandler
from service_kit.metrics import Metrics
from service_kit.page import page_routes
from service_kit.problems import RETRY_AFTER_SECONDS, Busy
from service_kit.sharing import Shared

Checks = Callable[[], Awaitable[None]]
DocumentSource = Callable[[], Awaitable[dict[str, Any]]]

# Anybody may ask, and each question costs questions to others. A gateway asks services that keep
# theirs as long: together it is less than a second.
HEALTH_KEPT_SECONDS = 0.4

OPERATIONS_TAG = {
    "operations": "For those who run the system: health, metrics, this document. Without a token."
}


def built_once(build: Callable[[], dict[str, Any]]) -> DocumentSource:
    """Return a source that builds the document when somebody first asks for it, in a thread.

    A service is healthy before that, and goes on answering meanwhile. What failed is tried again.
    """
    built = Shared(lambda: asyncio.to_thread(build), kept_seconds=math.inf, failure_kept_seconds=0)
    return built.get


def operational_routes(
    check: Checks | None = None,
    metrics: Metrics | None = None,
    document: DocumentSource | None = None,
    health_kept_seconds: float = HEALTH_KEPT_SECONDS,
) -> list[URLSpec]:
    """Return the routes that every service has besides its own.

    Without what they work with they are there to be described.
    """
    if check is not None:
        check = Shared(
            check, kept_seconds=health_kept_seconds, failure_kept_seconds=health_kept_seconds
        ).get
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
        """Ask what the service stands on.

        ---
        summary: Tell whether the service can do its work
        description: >-
          A service asks its database, the gateway both services and its emulators, once for all who
          ask within 0.4 s. The Orders API does not ask the Customers API: without that it takes no
          new orders, and does all else. For a load balancer: 503 takes it out until it can work
          again.
        operationId: getHealth
        tags: [operations]
        responses:
          "200":
            description: It can.
            content:
              application/json:
                schema: {$ref: "#/components/schemas/Health"}
                examples: {ok: {value: {status: ok}}}
          "503":
            description: It cannot, for now.
            x-headers: [Retry-After]
            content:
              application/json:
                schema: {$ref: "#/components/schemas/Health"}
                examples: {no database: {value: {status: unavailable, reason: No connection.}}}
        """
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
        """Answer.

        ---
        summary: Tell that the process runs
        description: >-
          Nothing else is asked. For a supervisor: a process that does not answer is started anew.
        operationId: getLiveness
        tags: [operations]
        x-answers: {"200": Health}
        """
        self.reply({"status": "ok"})


class MetricsHandler(JsonHandler):
    """Prometheus reads here."""

    access = Access.PUBLIC
    metrics: Metrics

    async def get(self) -> None:
        """Return all metrics as text.

        ---
        summary: Read the metrics
        description: >-
          Counts and durations of requests by route and status, the database's pool and more, in
          the text format of Prometheus.
        operationId: getMetrics
        tags: [operations]
        responses:
          "200":
            description: All metrics of the service.
            content:
              text/plain:
                schema: {type: string}
                examples: {a line: {value: 'http_requests_total{method="GET",status="200"} 3.0'}}
        """
        self.set_header("Content-Type", self.metrics.content_type)
        self.finish(self.metrics.exposition())


class DocumentHandler(JsonHandler):
    """The OpenAPI document."""

    access = Access.PUBLIC
    document: DocumentSource

    async def get(self) -> None:
        """Return it.

        ---
        summary: Read this document
        description: What you are reading, in JSON.
        operationId: getDocument
        tags: [operations]
        x-answers: {"200": Document}
        x-answer-headers: [ETag]
        """
        content = jsons.encode(await self.document())
        self.reply_bytes(content, status=HTTPStatus.OK, etag=versions.of_content(content))
