"""Request handling, once for all services: who may call, what came in, what goes out.

A service's handlers derive from `JsonHandler`, say who may call them (`access`), and hold a few
lines for each method; problems are raised wherever they are known and rendered here.
"""

import functools
import re
from collections.abc import Mapping, Sequence
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

import structlog
from tornado.web import HTTPError, RequestHandler

from service_kit import correlation, jsons
from service_kit.problems import (
    MEDIA_TYPE,
    Busy,
    Forbidden,
    InternalError,
    MalformedRequest,
    MethodNotAllowed,
    NotFound,
    Problem,
    UnsupportedMediaType,
    ValidationFailed,
)
from service_kit.tokens import Caller, Role
from service_kit.versions import Precondition

if TYPE_CHECKING:
    from service_kit.application import ServiceApplication

log = structlog.get_logger()

LARGEST_ID = 2**63 - 1
_ID = re.compile(r"[1-9][0-9]*", re.ASCII)
_READS = frozenset({"GET", "HEAD"})
_ALWAYS = (
    ("Content-Type", "application/json"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-cache"),
)


class Access(Enum):
    """Who may call a handler. Nothing is open unless it says so."""

    PUBLIC = "public"
    OPERATORS = "operators"
    SERVICES = "services"
    OPERATORS_AND_SERVICES = "operators and services"


class JsonHandler(RequestHandler):
    """Parsing, authentication and errors."""

    access: ClassVar[Access] = Access.OPERATORS
    application: "ServiceApplication"
    caller: Caller | None = None
    _is_at_work = False
    _client_left = False

    def initialize(self, route: str = "unmatched", **collaborators: Any) -> None:
        """Take the route's template, for the metrics, and what the composition root hands in."""
        self.route = route
        for name, collaborator in collaborators.items():
            setattr(self, name, collaborator)
        self.application.requests_under_way += 1

    def on_finish(self) -> None:
        """Count the request as answered."""
        self.application.requests_under_way -= 1
        if self._is_at_work and self.application.admission is not None:
            self.application.admission.leave()

    def on_connection_close(self) -> None:
        """Note that nobody waits for the answer."""
        self._client_left = True

    def set_default_headers(self) -> None:
        """Start a response, a refusal too, with the headers that all have."""
        if not hasattr(self, "correlation_id"):  # a refusal starts the response anew
            self.correlation_id = correlation.adopt(self.request.headers.get(correlation.HEADER))
            correlation.current.set(self.correlation_id)
        # Not by set_header, which looks for what could break a header out: nothing here can.
        del self._headers["Server"]
        for name, value in _ALWAYS:
            self._headers[name] = value
        self._headers[correlation.HEADER] = self.correlation_id
        if self.application.draining:
            self.set_header("Connection", "close")

    async def prepare(self) -> None:
        """Refuse a method that the path does not know, and a caller who may not come in.

        Whoever may come in waits here until there is a place at work.
        """
        if self.request.method not in self.allowed_methods():
            raise self._method_not_allowed()
        if self.access is Access.PUBLIC:
            return
        admission = self.application.admission
        if admission is not None:
            admission.check_room()
        self.caller = self._identify()
        if admission is not None:
            await admission.enter()
            self._is_at_work = True
            if self._client_left:
                raise Busy("The client did not wait.")

    def decode_argument(self, value: bytes, name: str | None = None) -> str:  # noqa: ARG002 - Tornado's
        """Read a part of the path; what is not UTF-8 names nothing."""
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise NotFound from None

    def compute_etag(self) -> None:
        """Leave the ETag to the handlers, which know versions; Tornado would hash the body."""

    def check_etag_header(self) -> bool:
        """Tell whether the caller has the answer already; Tornado asks that twice a request."""
        return "If-None-Match" in self.request.headers and super().check_etag_header()

    async def head(self, *arguments: str) -> None:
        """Answer as GET does; Tornado leaves the body out."""
        await self.get(*arguments)  # type: ignore[misc]  # every method returns a coroutine here

    @classmethod
    @functools.cache
    def allowed_methods(cls) -> Sequence[str]:
        """Return the methods that the handler has."""
        own = tuple(
            method
            for method in cls.SUPPORTED_METHODS
            if method != "HEAD" and getattr(cls, method.lower()) is not cls._unimplemented_method
        )
        return ("HEAD", *own) if "GET" in own else own

    # What came in.

    def json_body(self, schema: str) -> Any:
        """Return the body, checked against a schema.

        Raises:
            UnsupportedMediaType, InvalidJson, ValidationFailed: it is not what was asked for.
        """
        self._check_media_type()
        return self.application.schemas.validator(schema).check(jsons.decode(self.request.body))

    def json_body_or_empty(self, schema: str) -> Any:
        """Return the body as `json_body` does; no body is an empty object."""
        return self.json_body(schema) if self.request.body else {}

    def query(self, schema: str) -> dict[str, Any]:
        """Return the query's parameters, checked against a schema as one object.

        Raises:
            ValidationFailed: one is unknown, given twice, or does not fit.
        """
        parameters = self._raw_query()
        twice = [name for name, values in parameters.items() if len(values) > 1]
        if twice:
            raise ValidationFailed(
                errors=[{"pointer": f"/{name}", "detail": "is given twice"} for name in twice]
            )
        texts = {name: values[0] for name, values in parameters.items()}
        return self.application.schemas.validator(schema).check_texts(texts)

    def path_id(self, text: str) -> int:
        """Return the id in a path; one past the database's range becomes the first that no row has.

        Raises:
            NotFound: it is not a positive integer in decimal digits.
        """
        if not _ID.fullmatch(text):
            raise NotFound
        return int(text) if len(text) < len(str(LARGEST_ID)) else min(int(text[:20]), 2**63)

    def precondition(self) -> Precondition:
        """Return what a write asks of the version that it finds."""
        headers = self.request.headers
        return Precondition.of(headers.get("If-Match"), headers.get("If-None-Match"))

    # What goes out.

    def reply(self, value: Any, *, status: int = HTTPStatus.OK, etag: str | None = None) -> None:
        """Answer with a JSON value."""
        self.reply_bytes(jsons.encode(value), status=status, etag=etag)

    def reply_bytes(self, body: bytes, *, status: int, etag: str | None = None) -> None:
        """Answer with encoded JSON, or tell that the caller has it already (``If-None-Match``)."""
        self.set_status(status)
        if etag is not None:
            self.set_header("ETag", etag)
            if self.request.method in _READS and self.check_etag_header():
                self.set_status(HTTPStatus.NOT_MODIFIED)
                self.finish()
                return
        self.finish(body)

    def created(self, location: str, value: Any, *, etag: str) -> None:
        """Answer that a resource was made, and where it is."""
        self.set_header("Location", location)
        self.reply(value, status=HTTPStatus.CREATED, etag=etag)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Render a problem (RFC 9457); whatever else was raised becomes one first."""
        problem = self._problem(status_code, kwargs.get("exc_info"))
        self.set_status(problem.status)
        for name, value in problem.headers.items():
            self.set_header(name, value)
        self.render_problem(problem)

    def render_problem(self, problem: Problem) -> None:
        """Write the body of a refusal."""
        self.set_header("Content-Type", MEDIA_TYPE)
        self.finish(jsons.encode(problem.document(self.correlation_id)))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log defects with their trace; a refusal is in the access log already."""
        if not isinstance(value, (Problem, HTTPError)):
            log.error(
                "request failed",
                method=self.request.method,
                route=self.route,
                exc_info=(typ, value, tb),
            )

    def _problem(self, status_code: int, exc_info: Any) -> Problem:
        error = exc_info[1] if exc_info else None
        if isinstance(error, Problem):
            return error
        if status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            return self._method_not_allowed()
        if status_code == HTTPStatus.NOT_FOUND:
            return NotFound()
        if HTTPStatus.BAD_REQUEST <= status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            return MalformedRequest()
        return InternalError()

    def _method_not_allowed(self) -> Problem:
        methods = ", ".join(self.allowed_methods())
        return MethodNotAllowed(f"Allowed here: {methods}.", headers={"Allow": methods})

    def _identify(self) -> Caller:
        caller = self.application.authenticator.identify(self.request.headers.get("Authorization"))
        is_service = caller.role is Role.SERVICE
        if is_service and self.access is Access.OPERATORS:
            raise Forbidden("Services have no business here.")
        if not is_service and self.access is Access.SERVICES:
            raise Forbidden("This is for services alone.")
        if caller.role is Role.VIEWER and self.request.method not in _READS:
            raise Forbidden("A viewer may only read.")
        return caller

    def _check_media_type(self) -> None:
        if self.request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise UnsupportedMediaType("A compressed body is not read.")
        content_type = self.request.headers.get("Content-Type")
        if content_type is not None and not jsons.is_json(content_type):
            raise UnsupportedMediaType

    def _raw_query(self) -> Mapping[str, list[str]]:
        try:
            return {
                name: [value.decode() for value in values]
                for name, values in self.request.query_arguments.items()
            }
        except UnicodeDecodeError:
            raise ValidationFailed("The query is not UTF-8.") from None


class UnknownPathHandler(JsonHandler):
    """Answers for every path that no route knows."""

    access = Access.PUBLIC

    async def prepare(self) -> None:
        """Refuse."""
        raise NotFound

    def _method_not_allowed(self) -> Problem:
        """Refuse a method that Tornado does not know like all others: no path could allow it."""
        return NotFound()


class RefusalHandler(JsonHandler):
    """Answers with a problem that was known before any handler was asked."""

    access = Access.PUBLIC
    problem: Problem

    async def prepare(self) -> None:
        """Refuse."""
        raise self.problem
