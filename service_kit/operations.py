"""What every service answers to those who run it: health, metrics, its document and its page."""

import asyncio
import mimetypes
from collections.abc import Awaitable, Callable
from functools import cache
from http import HTTPStatus
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tornado.routing import URLSpec

from service_kit.application import route
from service_kit.handlers import Access, JsonHandler
from service_kit.metrics import Metrics
from service_kit.problems import RETRY_AFTER_SECONDS, Busy, NotFound

Checks = Callable[[], Awaitable[None]]
DocumentSource = Callable[[], Awaitable[dict[str, Any]]]

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>B2B order back office</title>
  <link rel="icon" href="/docs/favicon-32x32.png">
  <link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
  <div id="page"></div>
  <script src="/docs/swagger-ui-bundle.js"></script>
  <script src="/docs/start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#page",
  deepLinking: true,
  persistAuthorization: true,
  validatorUrl: null
});
"""
_PACKAGED_ASSETS = frozenset({"swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"})
# Swagger UI writes style attributes and draws its icons from data: URLs; all else is our own.
_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)


OPERATIONS_TAG = {
    "operations": "For those who run the system: health, metrics, this document. Without a token."
}


def built_once(build: Callable[[], dict[str, Any]]) -> DocumentSource:
    """Return a source that builds the document when somebody first asks for it, in a thread.

    A service is healthy before that, and goes on answering meanwhile.
    """
    building: asyncio.Task[dict[str, Any]] | None = None

    async def source() -> dict[str, Any]:
        nonlocal building
        if building is None:
            building = asyncio.create_task(asyncio.to_thread(build))
        return await building

    return source


def operational_routes(
    check: Checks | None = None,
    metrics: Metrics | None = None,
    document: DocumentSource | None = None,
) -> list[URLSpec]:
    """Return the routes that every service has besides its own.

    Without what they work with they are there to be described.
    """
    return [
        route("/health", HealthHandler, check=check),
        route("/health/live", LivenessHandler),
        route("/metrics", MetricsHandler, metrics=metrics),
        route("/openapi.json", DocumentHandler, document=document),
        route("/docs", DocsHandler),
        route("/docs/{asset}", DocsAssetHandler),
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
          All that it stands on is asked, each time. For a load balancer: 503 takes it out until it
          can work again.
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
        """
        self.reply(await self.document())


class DocsHandler(JsonHandler):
    """A page to read the document and to try the calls."""

    access = Access.PUBLIC

    async def get(self) -> None:
        """Return the page.

        ---
        summary: Open the page to read and try all this
        description: >-
          A page for a browser. All that it needs comes from here; it works without the internet.
        operationId: getPage
        tags: [operations]
        responses:
          "200":
            description: The page.
            content:
              text/html:
                schema: {type: string}
                examples: {the page: {value: "<!DOCTYPE html> ..."}}
        """
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Content-Security-Policy", _CONTENT_SECURITY_POLICY)
        self.set_header("Referrer-Policy", "no-referrer")
        self.finish(_PAGE)


class DocsAssetHandler(JsonHandler):
    """What the page consists of, from the package that carries Swagger UI."""

    access = Access.PUBLIC

    async def get(self, asset: str) -> None:
        """Return one file."""
        content = _asset(asset)
        if content is None:
            raise NotFound
        media_type = mimetypes.guess_type(asset)[0] or "application/octet-stream"
        self.set_header("Content-Type", media_type)
        self.set_header("Cache-Control", "public, max-age=3600")
        self.finish(content)


@cache
def _asset(name: str) -> bytes | None:
    if name == "start.js":
        return _START.encode()
    package = find_spec("swagger_ui")
    if name not in _PACKAGED_ASSETS or package is None or package.origin is None:
        return None
    return (Path(package.origin).parent / "static" / name).read_bytes()
