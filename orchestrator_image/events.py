"""What came in, and how the answer goes out.

An HTTP event has ``requestContext``: API Gateway's payload format 2.0, and the older 1.0 of REST
APIs and load balancers. It is answered by a proxy response. Anything else is a bare event: the
request itself, answered by the object itself. No event is too odd to be read.

Source: AWS, "Working with AWS Lambda proxy integrations for HTTP APIs".
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from service_kit import correlation, jsons
from service_kit.problems import BodyTooLarge, InvalidJson, UnsupportedMediaType

LARGEST_BODY_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What the function says: a status, an object, and the headers of a proxy response."""

    status: int
    document: dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for an event that is JSON, but more than the runtime's parser takes."""

    reason: str


@dataclass(frozen=True, slots=True)
class BareEvent:
    """The request itself, from somebody who may invoke the function."""

    kind = "bare"
    correlation_id = None
    event: Any

    def request(self) -> Any:
        """Return the JSON value that was asked with.

        Raises:
            InvalidJson: the runtime could not read it.
        """
        if isinstance(self.event, Unreadable):
            raise InvalidJson(self.event.reason)
        return self.event

    def response(self, answer: Answer, _body: bytes) -> Any:
        """Return the object itself."""
        return answer.document


@dataclass(frozen=True, slots=True)
class HttpEvent:
    """A request that came over HTTP."""

    kind = "http"
    headers: Mapping[str, str]
    body: Any
    in_base64: bool

    @property
    def authorization(self) -> str | None:
        """The credential as the caller sent it."""
        return self.headers.get("authorization")

    @property
    def correlation_id(self) -> str | None:
        """The header's id, well formed or not."""
        return self.headers.get(correlation.HEADER.lower())

    def request(self) -> Any:
        """Return the JSON value of the body.

        Raises:
            UnsupportedMediaType: it says of itself that it is not JSON.
            BodyTooLarge: it is over 1 MiB.
            InvalidJson: it is not JSON, or there is none.
        """
        if self.headers.get("content-encoding", "identity").lower() != "identity":
            raise UnsupportedMediaType("A compressed body is not read.")
        content_type = self.headers.get("content-type")
        if content_type is not None and not jsons.is_json(content_type):
            raise UnsupportedMediaType
        data = self._bytes()
        if len(data) > LARGEST_BODY_BYTES:
            raise BodyTooLarge
        return jsons.decode(data)

    def response(self, answer: Answer, body: bytes) -> dict[str, Any]:
        """Return a proxy response."""
        headers = {
            "content-type": "application/json",
            correlation.HEADER: answer.document["correlationId"],
            **answer.headers,
        }
        return {"statusCode": answer.status, "headers": headers, "body": body.decode()}

    def _bytes(self) -> bytes:
        if not isinstance(self.body, str) or not self.body:
            raise InvalidJson("The body is not JSON: there is none.")
        if not self.in_base64:
            # A lone surrogate becomes bytes that are not UTF-8, which the decoder refuses.
            return self.body.encode("utf-8", "surrogatepass")
        try:
            return base64.b64decode(self.body, validate=True)
        except (binascii.Error, ValueError):
            raise InvalidJson("The body is not JSON: its base64 is broken.") from None


def read(event: Any) -> HttpEvent | BareEvent:
    """Tell what kind of event this is; never fails, whatever it is."""
    if not isinstance(event, dict) or "requestContext" not in event:
        return BareEvent(event)
    return HttpEvent(
        headers=_headers(event.get("multiValueHeaders")) | _headers(event.get("headers")),
        body=event.get("body"),
        in_base64=event.get("isBase64Encoded") is True,
    )


def _headers(given: Any) -> dict[str, str]:
    """Return the headers under lower-case names; of a list of values the last one."""
    headers: dict[str, str] = {}
    if not isinstance(given, dict):
        return headers
    for name, value in given.items():
        last = value[-1] if isinstance(value, list) and value else value
        if isinstance(name, str) and isinstance(last, str):
            headers[name.lower()] = last
    return headers
