"""One invocation after the other: event in, answer out, whatever happens."""

import asyncio
import contextvars
import time
from pathlib import Path
from typing import Any

import aiohttp
import structlog

from orchestrator_image import events, rules
from orchestrator_image.events import Answer, BareEvent, HttpEvent
from orchestrator_image.replies import Replies
from orchestrator_image.services import Service
from orchestrator_image.settings import Patience, Settings
from orchestrator_image.workflow import Request, Workflow
from service_kit import correlation, jsons
from service_kit.problems import Forbidden, InternalError, Problem
from service_kit.schemas import Schemas
from service_kit.tokens import Authenticator, OperatorTokens, Role, ServiceTokens
from service_kit.upstream import Timeouts, Upstream, open_session

log = structlog.get_logger()

SCHEMAS = Path(__file__).parent / "schemas"

CREATED = 201


class Function:
    """The function; its event loop and its connections stay warm between invocations.

    The runtime calls a handler synchronously and one at a time, so there is one loop that runs
    during an invocation and rests between two.
    """

    def __init__(self, settings: Settings) -> None:
        schemas = Schemas(SCHEMAS)
        services = ServiceTokens(settings.service_tokens)
        self._settings = settings
        self._authorization = services.authorization
        self._authenticator = Authenticator(OperatorTokens(settings.jwt), services)
        self._validator = schemas.validator("CreateAndConfirmOrder")
        self._replies = Replies(schemas)
        self._runner = asyncio.Runner()
        self._session: aiohttp.ClientSession | None = None

    def invoke(self, event: Any, context: Any) -> Any:
        """Answer an event; never raises.

        Returns:
            A proxy response for an HTTP event, the object itself for a bare one.
        """
        started, cold = time.monotonic(), self._session is None
        incoming = events.read(event)
        token = correlation.current.set(correlation.adopt(incoming.correlation_id))
        try:
            answer = self._answer(incoming, context)
            response = _written(incoming, answer)
        except Exception:
            log.exception("unexpected failure")
            answer = _failed(InternalError())
            response = _written(incoming, answer)
        log.info(
            "invocation",
            event_kind=incoming.kind,
            outcome="confirmed" if answer.status == CREATED else "failed",
            status=answer.status,
            code=answer.document.get("error", {}).get("code"),
            duration_ms=round((time.monotonic() - started) * 1000, 1),
            cold=cold,
            request_id=getattr(context, "aws_request_id", None),
        )
        correlation.current.reset(token)
        return response

    def close(self) -> None:
        """Close the connections and the loop; the runtime never asks for it, tests do."""
        if self._session is not None:
            self._runner.run(self._session.close())
        self._runner.close()

    def _answer(self, incoming: HttpEvent | BareEvent, context: Any) -> Answer:
        deadline = time.monotonic() + _seconds_left(context, self._settings.patience)
        try:
            request = self._request(incoming)
            # The loop's tasks would run in the context of its first invocation, with that one's
            # correlation id.
            data = self._runner.run(
                self._orchestrated(request, deadline), context=contextvars.copy_context()
            )
        except Problem as problem:
            return _failed(problem)
        document = {"success": True, "correlationId": correlation.current.get(), "data": data}
        return Answer(CREATED, document)

    def _request(self, incoming: HttpEvent | BareEvent) -> Request:
        if isinstance(incoming, HttpEvent):
            self._admit(incoming.authorization)
        value = incoming.request()
        if isinstance(value, dict) and correlation.is_well_formed(value.get("correlation_id")):
            correlation.current.set(value["correlation_id"])
        return Request.of(self._validator.check(value))

    def _admit(self, authorization: str | None) -> None:
        if self._authenticator.identify(authorization).role is not Role.OPERATOR:
            raise Forbidden("An operator's token is required.")

    async def _orchestrated(self, request: Request, deadline: float) -> dict[str, Any]:
        if self._session is None:
            self._session = open_session()
        return await self._workflow(self._session).create_and_confirm(request, deadline)

    def _workflow(self, session: aiohttp.ClientSession) -> Workflow:
        patience = self._settings.patience

        def service(name: str, base_url: str, timeouts: Timeouts) -> Service:
            upstream = Upstream(session, base_url, self._authorization, timeouts, patience.backoff)
            return Service(name, upstream)

        return Workflow(
            service("The Customers API", self._settings.customers_api_base, patience.customers),
            service("The Orders API", self._settings.orders_api_base, patience.orders),
            self._replies,
            patience,
        )


def _seconds_left(context: Any, patience: Patience) -> float:
    """Return the seconds after which the answer must be ready."""
    ask = getattr(context, "get_remaining_time_in_millis", None)
    left = ask() / 1000 if callable(ask) else patience.time_left_by_default
    return float(left) - patience.reserve


def _failed(problem: Problem) -> Answer:
    document = rules.failure_document(problem, correlation.current.get())
    return Answer(problem.status, document, problem.headers)


def _written(incoming: HttpEvent | BareEvent, answer: Answer) -> Any:
    """Return the response, encoded once even if it is handed out as an object.

    What this encoder takes, the runtime's takes too.
    """
    return incoming.response(answer, jsons.encode(answer.document))
