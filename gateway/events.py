"""An HTTP request as the event that API Gateway makes of it.

Source: AWS, "Create AWS Lambda proxy integrations for HTTP APIs in API Gateway", payload format
version 2.0. As there, ``cookies``, ``queryStringParameters`` and ``body`` are left out when the
request has none.
"""

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from gateway.headers import Fields, Origin, end_to_end, forwarding, from_octets
from service_kit import correlation

Event = dict[str, Any]

ACCOUNT_ID = "000000000000"
API_ID = "gateway"
STAGE = "$default"

# Control characters grow sixfold in JSON: a mebibyte of them would be more than Lambda takes.
_NOT_IN_TEXT = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class IncomingRequest:
    """What an event is made of; ``moment`` is when it came, in UTC."""

    method: str
    path: str
    query: str
    http_version: str
    headers: Fields
    body: bytes
    origin: Origin
    request_id: str
    correlation_id: str
    moment: datetime


def http_event(request: IncomingRequest, route_key: str) -> Event:
    """Return the event; ``route_key`` is such as ``POST /things``."""
    fields = [(name.lower(), from_octets(value)) for name, value in request.headers]
    event: Event = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": _joined(_headers(request, fields)),
        "requestContext": _context(request, route_key, dict(fields).get("user-agent", "")),
    }
    cookies = [cookie for name, value in fields if name == "cookie" for cookie in _cookies(value)]
    parameters = _joined(parse_qsl(request.query, keep_blank_values=True, errors="replace"))
    if cookies:
        event["cookies"] = cookies
    if parameters:
        event["queryStringParameters"] = parameters
    return event | _body(request.body)


def _headers(request: IncomingRequest, fields: Fields) -> Fields:
    forwarded = [(name.lower(), value) for name, value in forwarding(fields, request.origin)]
    correlation_field = (correlation.HEADER.lower(), request.correlation_id)
    written_anew = {"cookie", correlation_field[0], *(name for name, _ in forwarded)}
    passed = [(name, value) for name, value in end_to_end(fields) if name not in written_anew]
    return [*passed, *forwarded, correlation_field]


def _context(request: IncomingRequest, route_key: str, user_agent: str) -> dict[str, Any]:
    domain = request.origin.host.rpartition(":")[0] or request.origin.host
    return {
        "accountId": ACCOUNT_ID,
        "apiId": API_ID,
        "domainName": domain,
        "domainPrefix": domain.partition(".")[0],
        "http": {
            "method": request.method,
            "path": request.path,
            "protocol": request.http_version,
            "sourceIp": request.origin.address,
            "userAgent": user_agent,
        },
        "requestId": request.request_id,
        "routeKey": route_key,
        "stage": STAGE,
        "time": _log_time(request.moment),
        "timeEpoch": int(request.moment.timestamp() * 1000),
    }


def _body(body: bytes) -> Event:
    if not body:
        return {"isBase64Encoded": False}
    try:
        if not _NOT_IN_TEXT.search(body):
            return {"body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        pass
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return one value a name, those of one name joined by commas."""
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _cookies(value: str) -> list[str]:
    return [cookie for part in value.split(";") if (cookie := part.strip())]


def _log_time(moment: datetime) -> str:
    """Write a moment as ``12/Mar/2020:19:03:58 +0000``, whatever the locale."""
    return f"{moment:%d}/{_MONTHS[moment.month - 1]}/{moment:%Y:%H:%M:%S} +0000"
