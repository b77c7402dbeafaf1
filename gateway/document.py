"""What the gateway says of what it answers itself, in OpenAPI."""

from collections.abc import Iterable
from pathlib import Path

from tornado.routing import URLSpec

from gateway import step_refusals
from gateway.orchestration import PATH, OrchestrationHandler
from gateway.routes import routes
from service_kit import openapi_guide as guide
from service_kit.openapi import About, build_document
from service_kit.openapi_components import Document, as_published, only_used_components, resolved
from service_kit.openapi_refusals import codes_of
from service_kit.openapi_vocabulary import EXAMPLE_CORRELATION_ID
from service_kit.operations import OPERATIONS_TAG, operational_routes
from service_kit.problems import MEDIA_TYPE
from service_kit.schemas import KIT_SCHEMAS, Schemas

# Read as data: the shapes of the orchestrator are written there and nowhere else.
ORCHESTRATOR_SCHEMAS = Path(__file__).parent.parent / "orchestrator_image" / "schemas"

ORCHESTRATOR_TAG = {
    "orchestrator": "An order, created and confirmed in one call that can be repeated."
}
ABOUT = About(
    title="B2B order back office",
    version="1.0.0",
    description=guide.introduction(
        "Customers, products and orders behind one address, and an order in one call."
        " A customer orders products; the order is confirmed once or canceled in time; no unit is"
        " sold twice.",
        guide.WHO_MAY_CALL,
        guide.SERVICES_AT_THE_GATEWAY,
        guide.REPEATS,
        guide.ERRORS,
        guide.ORCHESTRATOR_ERRORS,
        guide.LIMITS_OF_CALLS,
        guide.INPUT,
        guide.LISTS,
        guide.VERSIONS,
    ),
    tags={**ORCHESTRATOR_TAG, **OPERATIONS_TAG},
    refusals=(step_refusals,),
)
"""The version is that of what clients see, not of the code."""

_FAILURE = "OrchestrationFailed"
# Refused before it is known that the orchestrator was meant, or in the words of HTTP alone.
_AS_PROBLEMS = frozenset({"MALFORMED_REQUEST", "METHOD_NOT_ALLOWED", "HEADERS_TOO_LARGE"})


def own_schemas() -> Schemas:
    """Return the kit's and the orchestrator's schemas.

    Raises:
        RuntimeError: the orchestrator's are not there: the document would refer to nothing.
    """
    schemas = Schemas(KIT_SCHEMAS, ORCHESTRATOR_SCHEMAS)
    if OrchestrationHandler.SCHEMA not in schemas.documents:
        raise RuntimeError(f"the orchestrator's schemas are not in {ORCHESTRATOR_SCHEMAS}")
    return schemas


def own_document() -> Document:
    """Return the document of all but what is passed through."""
    return described(ABOUT, [*routes(), *operational_routes()])


def described(about: About, table: Iterable[URLSpec]) -> Document:
    """Return the document of routes; the orchestrator's path refuses in its own shape."""
    schemas = own_schemas()
    document = build_document(about, table, schemas)
    document["components"]["schemas"][_FAILURE] = as_published(schemas.documents[_FAILURE])
    operation = document["paths"][PATH]["post"]
    operation["responses"] = {
        status: _in_failure_shape(resolved(document, response)) if status >= "4" else response
        for status, response in operation["responses"].items()
    }
    return only_used_components(document)


def _in_failure_shape(refusal: Document) -> Document:
    codes = [code for code in codes_of(refusal) if code not in _AS_PROBLEMS]
    if not codes:
        return refusal
    problems = refusal["content"][MEDIA_TYPE]
    narrowed = {"properties": {"error": {"properties": {"code": {"enum": codes}}}}}
    failures = {
        "schema": {"allOf": [{"$ref": f"#/components/schemas/{_FAILURE}"}, narrowed]},
        "examples": {
            code: {"value": _failure(problems["examples"][code]["value"])} for code in codes
        },
    }
    return {**refusal, "content": {"application/json": failures, **_as_problems(refusal)}}


def _as_problems(refusal: Document) -> Document:
    problems = refusal["content"][MEDIA_TYPE]
    codes = [code for code in codes_of(refusal) if code in _AS_PROBLEMS]
    if not codes:
        return {}
    problem, narrowed = problems["schema"]["allOf"]
    properties = {**narrowed["properties"], "code": {"enum": codes}}
    return {
        MEDIA_TYPE: {
            "schema": {"allOf": [problem, {"properties": properties}]},
            "examples": {code: problems["examples"][code] for code in codes},
        }
    }


def _failure(problem: Document) -> Document:
    error = {"code": problem["code"], "message": problem["detail"]}
    if "errors" in problem:
        error["errors"] = problem["errors"]
    return {"success": False, "correlationId": EXAMPLE_CORRELATION_ID, "error": error}
