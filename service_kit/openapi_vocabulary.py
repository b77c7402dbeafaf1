"""What the documents say of the headers that all services have, and of who may call."""

from typing import Any

from service_kit import correlation

EXAMPLE_CORRELATION_ID = "req-789"
KEY_HEADER = "X-Idempotency-Key"

REQUEST_HEADERS: dict[str, dict[str, Any]] = {
    correlation.HEADER: {
        "schema": {"type": "string", "examples": [EXAMPLE_CORRELATION_ID]},
        "description": (
            "Your own id for this request and all that it causes: 1 to 128 characters of letters,"
            " digits and `. _ : -`. Another value is replaced by a new id."
        ),
    },
    KEY_HEADER: {
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": 255,
            "pattern": "^[!-~]([ -~]*[!-~])?$",
        },
        "description": (
            "Names this request, to the whole installation, for 24 hours, unless it keeps keys for"
            " another time: use a UUID. A repeat under it gets the first response again and does"
            " nothing."
        ),
    },
    "If-None-Match": {
        "schema": {"type": "string", "examples": ['"1"']},
        "description": "The `ETag` of the version that you have: 304 while it is the current one.",
    },
    "If-Match": {
        "schema": {"type": "string", "examples": ['"1"']},
        "description": "The `ETag` of the version that you mean: 412 if it is another by now.",
    },
}

ANSWER_HEADERS: dict[str, dict[str, Any]] = {
    correlation.HEADER: {
        "required": True,
        "schema": {
            "type": "string",
            "pattern": correlation.PATTERN,
            "examples": [EXAMPLE_CORRELATION_ID],
        },
        "description": "The request's own id, or a new one: it is on every log line.",
    },
    "ETag": {
        "required": True,
        "schema": {"type": "string", "examples": ['"1"']},
        "description": "Names this version: it changes with every change of the representation.",
    },
    "Location": {
        "required": True,
        "schema": {
            "type": "string",
            "format": "uri-reference",
            "examples": ["/customers/7", "/products/11", "/orders/101"],
        },
        "description": "Where the new resource is.",
    },
    "Idempotent-Replayed": {
        "schema": {"type": "string", "enum": ["true"]},
        "description": "There if this is the first response to the key, sent again.",
    },
    "WWW-Authenticate": {
        "required": True,
        "schema": {"type": "string", "enum": ["Bearer"]},
        "description": "A bearer token is asked for.",
    },
    "Retry-After": {
        "required": True,
        "schema": {"type": "integer", "minimum": 0, "examples": [1]},
        "description": "Seconds after which a repeat makes sense.",
    },
    "Allow": {
        "required": True,
        "schema": {"type": "string", "examples": ["HEAD, GET"]},
        "description": "The methods that the path knows.",
    },
}

SECURITY_SCHEMES: dict[str, dict[str, Any]] = {
    "operator": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": (
            "An operator's JWT (HS256): `scripts/token` prints one. With the role `viewer` it only"
            " reads."
        ),
    },
    "service": {
        "type": "http",
        "scheme": "bearer",
        "description": (
            "The token by which services know each other: `scripts/token --service` prints it."
        ),
    },
}
