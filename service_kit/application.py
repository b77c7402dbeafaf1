"""A service as Tornado sees it: a table of routes and what all handlers share."""

import re
from collections.abc import Sequence
from typing import Any

import structlog
from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.routing import URLSpec
from tornado.web import Application, RequestHandler, url

from service_kit.admission import Admission
from service_kit.bodies import BodyBudget, BoundedBody
from service_kit.handlers import JsonHandler, RefusalHandler, UnknownPathHandler
from service_kit.metrics import Metrics
from service_kit.problems import Problem
from service_kit.schemas import Schemas
from service_kit.tokens import Authenticator

access_log = structlog.get_logger("access")

_PARAMETER = re.compile(r"\{[a-z_]+\}")


def route(template: str, handler: type[JsonHandler], **collaborators: Any) -> URLSpec:
    """Return a row of the table of routes: ``/orders/{order_id}``, its handler, what it works with.

    A method takes the parameters in their order, under the names in the template: the OpenAPI
    document reads them there.
    """
    pattern = _PARAMETER.sub("([^/]+)", template)
    return url(pattern, handler, {"route": template, **collaborators})


class ServiceApplication(Application):
    """The routes with the authenticator, the schemas and the metrics of one service."""

    def __init__(
        self,
        routes: Sequence[URLSpec],
        *,
        authenticator: Authenticator,
        schemas: Schemas,
        metrics: Metrics,
        log_requests: bool = True,
        admission: Admission | None = None,
    ) -> None:
        super().__init__(list(routes), default_handler_class=UnknownPathHandler)
        self.authenticator = authenticator
        self.schemas = schemas
        self.metrics = metrics
        self.log_requests = log_requests
        self.admission = admission
        self.requests_under_way = 0
        self.draining = False
        self._body_budget = BodyBudget()

    def find_handler(  # type: ignore[override]  # Tornado itself needs no more than the interface
        self, request: HTTPServerRequest, **kwargs: Any
    ) -> HTTPMessageDelegate:
        """Find the handler of a request, behind the bound on its body."""

        def refuse(problem: Problem) -> HTTPMessageDelegate:
            return self.get_handler_delegate(request, RefusalHandler, {"problem": problem})

        return BoundedBody(
            request, super().find_handler(request, **kwargs), refuse, self._body_budget
        )

    def log_request(self, handler: RequestHandler) -> None:
        """Count and log an answered request; without its query, which may name people."""
        if not isinstance(handler, JsonHandler):
            return
        request = handler.request
        seconds = request.request_time()
        status = handler.get_status()
        # A client may invent methods; it must not invent series of metrics.
        method = request.method if request.method in handler.SUPPORTED_METHODS else "OTHER"
        self.metrics.request_answered(method, handler.route, status, seconds)
        if self.log_requests:
            access_log.info(
                "request",
                method=method,
                path=request.path,
                status=status,
                duration_ms=round(seconds * 1000, 3),
                caller=handler.caller.subject if handler.caller else None,
                correlation_id=handler.correlation_id,
            )
