"""The orchestrator's own document: its two doors.

Over HTTP it is called at the gateway and at API Gateway, which make the same event of a request; so
the gateway's operation is the orchestrator's. The bare invocation is no route of ours: Lambda and
its emulator serve it, and it is described here by hand.
"""

from typing import Any

from gateway.document import ABOUT, ORCHESTRATOR_TAG, described, own_schemas
from gateway.emulator import INVOCATIONS
from gateway.orchestration import PATH, OrchestrationHandler
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
_RUNTIME_ERROR = {
    "description": "From Lambda's runtime, which found no JSON in the event.",
    "type": "object",
    "required": ["errorMessage", "errorType"],
    "properties": {"errorMessage": {"type": "string"}, "errorType": {"type": "string"}},
}


def orchestrator_document() -> Document:
    """Return the OpenAPI document of the function, whoever calls it."""
    document = without_dangling_links(described(_ABOUT, [route(PATH, OrchestrationHandler)]))
    return {**document, "paths": {**document["paths"], INVOCATIONS: _invocation()}}


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
                "content": {"application/json": _content({"$ref": _ref(schema)}, schema)},
            },
            "responses": {
                "200": {
                    "description": (
                        "The function's answer: the order, or why there is none. It is JSON; the"
                        " emulator calls it text."
                    ),
                    "content": _answers(),
                }
            },
        },
    }


def _answers() -> Document:
    schema = {"oneOf": [{"$ref": _ref(_SUCCEEDED)}, {"$ref": _ref(_FAILED)}, _RUNTIME_ERROR]}
    text = {"type": "string", "contentMediaType": "application/json", "contentSchema": schema}
    return {
        "application/json": _content(schema, _SUCCEEDED, _FAILED),
        "text/plain": {"schema": text},
    }


def _content(schema: Document, *names: str) -> Document:
    return {"schema": schema, "examples": {name: {"value": _example(name)} for name in names}}


def _example(name: str) -> Any:
    return own_schemas().documents[name]["examples"][0]


def _ref(name: str) -> str:
    return f"#/components/schemas/{name}"
