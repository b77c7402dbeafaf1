"""What a caller is told when a request fails: problem details (RFC 9457) with a stable code.

    Problem
    ├── InvalidJson            400  INVALID_JSON
    ├── MalformedRequest       400  MALFORMED_REQUEST
    ├── Unauthorized           401  UNAUTHORIZED
    ├── Forbidden              403  FORBIDDEN
    ├── NotFound               404  NOT_FOUND
    ├── MethodNotAllowed       405  METHOD_NOT_ALLOWED
    ├── RequestTimeout         408  REQUEST_TIMEOUT
    ├── PreconditionFailed     412  PRECONDITION_FAILED
    ├── BodyTooLarge           413  BODY_TOO_LARGE
    ├── UnsupportedMediaType   415  UNSUPPORTED_MEDIA_TYPE
    ├── ValidationFailed       422  VALIDATION_FAILED
    ├── RateLimited            429  RATE_LIMITED
    ├── HeadersTooLarge        431  HEADERS_TOO_LARGE
    ├── InternalError          500  INTERNAL_ERROR
    ├── Busy                   503  BUSY
    ├── UpstreamUnavailable    503  UPSTREAM_UNAVAILABLE
    └── UpstreamTimeout        504  UPSTREAM_TIMEOUT

The services add their own (CUSTOMER_NOT_FOUND …). A problem is raised where it
is known and rendered in one place.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

MEDIA_TYPE = "application/problem+json"

RETRY_AFTER_SECONDS = 1


class Problem(Exception):
    """A refusal that the caller may read.

    ``detail`` is a sentence for a person, ``errors`` is the list of single facts (for a schema
    ``{"pointer", "detail"}``), ``headers`` go into the response.
    """

    status: int = 500
    code: str = "INTERNAL_ERROR"
    title: ClassVar[str] = "Internal error"
    default_headers: ClassVar[Mapping[str, str]] = {}

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or f"{self.title}."
        self.errors = list(errors)
        self.headers = {**self.default_headers, **(headers or {})}

    def document(self, correlation_id: str) -> dict[str, Any]:
        """Return the members of RFC 9457 with ``code``, ``correlation_id`` and ``errors``."""
        document: dict[str, Any] = {
            "type": f"urn:b2b-back-office:problem:{self.code.lower().replace('_', '-')}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "correlation_id": correlation_id,
        }
        if self.errors:
            document["errors"] = self.errors
        return document


class InvalidJson(Problem):
    """The body is not JSON."""

    status = 400
    code = "INVALID_JSON"
    title = "The body is not JSON"


class MalformedRequest(Problem):
    """The request breaks HTTP's own rules."""

    status = 400
    code = "MALFORMED_REQUEST"
    title = "The request is not sound HTTP"


class Unauthorized(Problem):
    """No credential, or a bad one. Source for the header: RFC 6750, section 3."""

    status = 401
    code = "UNAUTHORIZED"
    title = "A valid bearer token is required"
    default_headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": "Bearer"}


class Forbidden(Problem):
    """A good credential that does not open this door."""

    status = 403
    code = "FORBIDDEN"
    title = "The token does not allow this"


class NotFound(Problem):
    """Nothing lives at this path."""

    status = 404
    code = "NOT_FOUND"
    title = "There is nothing here"


class MethodNotAllowed(Problem):
    """The path does not know the method; ``Allow`` names those that it knows."""

    status = 405
    code = "METHOD_NOT_ALLOWED"
    title = "The method is not allowed here"


class RequestTimeout(Problem):
    """The body did not come in time; the connection ends (RFC 9110, section 15.5.9)."""

    status = 408
    code = "REQUEST_TIMEOUT"
    title = "The body did not come in time"
    default_headers: ClassVar[Mapping[str, str]] = {"Connection": "close"}


class PreconditionFailed(Problem):
    """``If-Match`` names another version of the resource (RFC 9110, section 13.1.1)."""

    status = 412
    code = "PRECONDITION_FAILED"
    title = "The resource has changed"


class BodyTooLarge(Problem):
    """The body is larger than a service reads."""

    status = 413
    code = "BODY_TOO_LARGE"
    title = "The body is larger than 1 MiB"


class UnsupportedMediaType(Problem):
    """The body's ``Content-Type`` is not JSON."""

    status = 415
    code = "UNSUPPORTED_MEDIA_TYPE"
    title = "The body must be JSON (application/json, or a type with +json) in UTF-8"


class ValidationFailed(Problem):
    """JSON, but not of the shape asked for; ``errors`` lists each ``{"pointer", "detail"}``."""

    status = 422
    code = "VALIDATION_FAILED"
    title = "The request does not fit its schema"


class RateLimited(Problem):
    """Too many calls from one caller; ``Retry-After`` says when one more is let in."""

    status = 429
    code = "RATE_LIMITED"
    title = "Too many calls from one caller; try again"


class HeadersTooLarge(Problem):
    """The header block is larger than a service reads (RFC 6585, section 5)."""

    status = 431
    code = "HEADERS_TOO_LARGE"
    title = "The header fields are larger than 32 KiB"


class InternalError(Problem):
    """A defect of ours; the log has the rest under the correlation id."""


class Busy(Problem):
    """Not now, but perhaps in a moment: no database, no connection free, a lock not had in time."""

    status = 503
    code = "BUSY"
    title = "The service is busy; try again"
    default_headers: ClassVar[Mapping[str, str]] = {"Retry-After": str(RETRY_AFTER_SECONDS)}


class UpstreamUnavailable(Busy):
    """A service that is needed here cannot be reached, or answers nonsense."""

    code = "UPSTREAM_UNAVAILABLE"
    title = "A service behind this one is unavailable; try again"


class UpstreamTimeout(Busy):
    """A service that is needed here did not answer in time; what it did is not known."""

    status = 504
    code = "UPSTREAM_TIMEOUT"
    title = "A service behind this one did not answer in time; try again"
