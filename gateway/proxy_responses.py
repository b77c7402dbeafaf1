"""What an emulator answered, as an HTTP response.

Source: AWS, "Create AWS Lambda proxy integrations for HTTP APIs in API Gateway", payload format
version 2.0. API Gateway also makes a response of any other JSON; ours always has a status, and
without one it is not ours.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from gateway.headers import Fields, end_to_end
from service_kit import jsons
from service_kit.problems import InvalidJson, UpstreamTimeout, UpstreamUnavailable

log = structlog.get_logger()

T = TypeVar("T")

# As API Gateway has it when the function does not say.
DEFAULT_MEDIA_TYPE = "text/plain; charset=utf-8"

_TIMED_OUT = b"Task timed out"
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_VALUE = re.compile(r"([!-~\xa0-\xff]([ -~\xa0-\xff]*[!-~\xa0-\xff])?)?")
_WITHOUT_BODY = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class FunctionResponse:
    """What the function wants to be sent."""

    status: int
    headers: Fields
    body: bytes


def read(answer: bytes) -> FunctionResponse:
    """Return the response in an emulator's answer.

    Raises:
        UpstreamTimeout: the function ran into its own timeout.
        UpstreamUnavailable: it failed, or the answer is no proxy response.
    """
    if answer.startswith(_TIMED_OUT):
        log.error("function timed out")
        raise UpstreamTimeout("The orchestrator did not finish in time.")
    try:
        value = jsons.decode(answer)
    except InvalidJson:
        value = None
    if isinstance(value, dict) and "errorType" in value and "statusCode" not in value:
        # Its message may repeat what the caller sent; the function's own log has it.
        log.error("function failed", error_type=str(value["errorType"])[:100])
        raise UpstreamUnavailable("The orchestrator failed.")
    try:
        return _response(value)
    except (ValueError, TypeError, KeyError) as error:
        log.error("no proxy response", reason=type(error).__name__, bytes=len(answer))  # noqa: TRY400  # no defect of ours, so no trace
        raise UpstreamUnavailable("The orchestrator answered nonsense.") from error


def _response(value: Any) -> FunctionResponse:
    status = value["statusCode"]
    if type(status) is not int or not 200 <= status <= 599:  # noqa: PLR2004  # HTTP's final ones
        raise ValueError(status)
    fields = end_to_end(_field(*pair) for pair in _member(value, "headers", dict).items())
    fields = [(name, text) for name, text in fields if name.lower() != "content-length"]
    body = b"" if status in _WITHOUT_BODY else _body(value)
    if body and not any(name.lower() == "content-type" for name, _ in fields):
        fields.append(("Content-Type", DEFAULT_MEDIA_TYPE))
    cookies = [_field("Set-Cookie", cookie) for cookie in _member(value, "cookies", list)]
    return FunctionResponse(status, [*fields, *cookies], body)


def _member(value: dict[str, Any], name: str, kind: type[T]) -> T:
    """Return a member of this kind, an empty one if it is not there."""
    member = value.get(name)
    if member is None:
        return kind()
    if not isinstance(member, kind):
        raise TypeError(name)
    return member


def _field(name: str, value: Any) -> tuple[str, str]:
    if isinstance(value, bool):
        value = str(value).lower()
    text = str(value) if isinstance(value, (int, float)) else value
    if not _NAME.fullmatch(name) or not _VALUE.fullmatch(text):
        raise ValueError(name)
    return name, text


def _body(value: dict[str, Any]) -> bytes:
    body = _member(value, "body", str)
    if not value.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise ValueError("body") from error
