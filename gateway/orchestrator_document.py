"""The orchestrator's own document: its two doors.

Over HTTP it is called at the gateway and at API Gateway, which make the same event of a request; so
the gateway's operation is the orchestrator's. The bare invocation is no route of ours: Lambda and
its emulator serve it, and it is described here by hand.
"""

from http import HTTPStatus
from typing import Any

from gateway.document import ABOUT, ORCHESTRATOR_TAG, described, own_schemas
from gateway.emulator import INVOCATIONS
from gateway.orchestration import PATH, OrchestrationHandler
from service_kit import correlation, jsons
from service_kit import openapi_guide as guide
from service_kit.application import route
from service_kit.openapi import About, without_dangling_links
from service_kit.openapi_components import Document

_ABOUT = About(
    title="Orchestrator",
    version=ABOUT.version,
    description=guide.introduction(
        "A Lambda function that creates and confirms an order in one call, and answers with"
        " customer, order and items. It is called over HTTP, at the gateway or at API Gateway, with"
        " an operator's token; or it is invoked with the bare request as its event, by whoever may"
        " do that (IAM, or sitting at the machine of the emulator), without a token.",
        guide.WHO_MAY_CALL,
        guide.ORCHESTRATOR_ERRORS,
        guide.INPUT,
    ),
    tags=ORCHESTRATOR_TAG,
    refusals=ABOUT.refusals,
)

_SUCCEEDED, _FAILED = "OrchestrationSucceeded", "OrchestrationFailed"
_HTTP_EVENT, _PROXY_RESPONSE = "HttpEvent", "ProxyResponse"
_HEADERS = {"type": "object", "additionalProperties": {"type": "string"}}
# AWS's, and no more of them than the function reads or writes: no schema file checks them.
_OF_HTTP: Document = {
    _HTTP_EVENT: {
        "description": (
            "A request as API Gateway hands it over (HTTP API, payload format 2.0). It may have all"
            " the members that AWS gives it; these are read."
        ),
        "type": "object",
        "required": ["requestContext"],
        "properties": {
            "requestContext": {"description": "By it an HTTP request is known."},
            "headers": {
                **_HEADERS,
                "description": "`authorization` has an operator's token, as over HTTP.",
            },
            "body": {"type": "string", "description": "The bare request, as text."},
            "isBase64Encoded": {"type": "boolean", "description": "Whether the body is in base64."},
        },
    },
    _PROXY_RESPONSE: {
        "description": "What an HTTP event is answered by: API Gateway makes a response of it.",
        "type": "object",
        "additionalProperties": False,
        "required": ["statusCode", "headers", "body"],
        "properties": {
            "statusCode": {"type": "integer", "minimum": 200, "maximum": 599},
            "headers": _HEADERS,
            "body": {
                "type": "string",
                "description": "The answer as text.",
                "contentMediaType": "application/json",
            },
        },
    },
}
_RUNTIME_ERROR = {
    "description": "From Lambda's runtime, which found no JSON in the event.",
    "type": "object",
    "required": ["errorMessage", "errorType"],
    "properties": {"errorMessage": {"type": "string"}, "errorType": {"type": "string"}},
}


def orchestrator_document() -> Document:
    """Return the OpenAPI document of the function, whoever calls it."""
    document = without_dangling_links(described(_ABOUT, [route(PATH, OrchestrationHandler)]))
    components = document["components"]
    schemas = dict(sorted({**components["schemas"], **_OF_HTTP}.items()))
    return {
        **document,
        "paths": {**document["paths"], INVOCATIONS: _invocation()},
        "components": {**components, "schemas": schemas},
    }


def _invocation() -> Document:
    schema = OrchestrationHandler.SCHEMA
    return {
        "servers": [
            {
                "url": "http://127.0.0.1:9000",
                "description": "The emulator that `scripts/up` and Docker Compose run for people.",
            }
        ],
        "post": {
            "summary": "Invoke the function with the bare request",
            "description": (
                "As AWS invokes it, and with the same path at its emulator. The status is 200"
                " whatever comes of it: read `success`. An event with `requestContext` is taken for"
                " an HTTP request (payload format 2.0), which needs a token, and answered by"
                " `{statusCode, headers, body}`. One invocation at a time: two at once end the"
                " emulator, which is started again; then repeat with the same `idempotency_key`."
            ),
            "operationId": "invokeOrchestrator",
            "tags": list(ORCHESTRATOR_TAG),
            "security": [],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {"anyOf": [{"$ref": _ref(schema)}, {"$ref": _ref(_HTTP_EVENT)}]},
                        "examples": _examples(
                            {schema: _example(schema), _HTTP_EVENT: _http_event(_example(schema))}
                        ),
                    }
                },
            },
            "responses": {
                "200": {
                    "description": (
                        "The function's answer: the order, or why there is none; to an HTTP event"
                        " the same in a proxy response. It is JSON; the emulator calls it text."
                    ),
                    "content": _answers(),
                }
            },
        },
    }


def _answers() -> Document:
    ours = [{"$ref": _ref(name)} for name in (_SUCCEEDED, _FAILED, _PROXY_RESPONSE)]
    schema = {"oneOf": [*ours, _RUNTIME_ERROR]}
    text = {"type": "string", "contentMediaType": "application/json", "contentSchema": schema}
    values = {
        _SUCCEEDED: _example(_SUCCEEDED),
        _FAILED: _example(_FAILED),
        _PROXY_RESPONSE: _proxy_response(_example(_SUCCEEDED)),
    }
    texts = {name: _as_text(value) for name, value in values.items()}
    return {
        "application/json": {"schema": schema, "examples": _examples(values)},
        "text/plain": {"schema": text, "examples": _examples(texts)},
    }


def _http_event(request: Document) -> Document:
    return {
        "version": "2.0",
        "routeKey": f"POST {PATH}",
        "rawPath": PATH,
        "rawQueryString": "",
        "headers": {"authorization": "Bearer <token>", "content-type": "application/json"},
        "requestContext": {"http": {"method": "POST", "path": PATH}},
        "body": _as_text(request),
        "isBase64Encoded": False,
    }


def _proxy_response(answer: Document) -> Document:
    headers = {
        "content-type": "application/json",
        correlation.HEADER: answer["correlationId"],
    }
    return {"statusCode": HTTPStatus.CREATED.value, "headers": headers, "body": _as_text(answer)}


def _as_text(value: Any) -> str:
    return jsons.encode(value).decode()


def _examples(values: Document) -> Document:
    return {name: {"value": value} for name, value in values.items()}


def _example(name: str) -> Any:
    return own_schemas().documents[name]["examples"][0]


def _ref(name: str) -> str:
    return f"#/components/schemas/{name}"
