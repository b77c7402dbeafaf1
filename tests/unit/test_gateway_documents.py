"""One OpenAPI document out of several."""

import json
from pathlib import Path
from typing import Any

from gateway.documents import combined, own_document

ROOT = Path(__file__).parents[2]

OWN = {
    "openapi": "3.1.0",
    "info": {"title": "All"},
    "servers": [{"url": "http://elsewhere"}],
    "paths": {"/own": {"post": {}}},
    "components": {"schemas": {"Own": {}}},
}


def test_paths_and_components_are_put_together() -> None:
    one = {"paths": {"/one": {}}, "components": {"schemas": {"One": {}}}}
    two = {"paths": {"/two": {}}, "components": {"securitySchemes": {"two": {}}}}

    assert combined(OWN, [one, two]) == {
        "openapi": "3.1.0",
        "info": {"title": "All"},
        "servers": [{"url": "/"}],
        "paths": {"/one": {}, "/two": {}, "/own": {"post": {}}},
        "components": {"schemas": {"One": {}, "Own": {}}, "securitySchemes": {"two": {}}},
    }


def test_what_is_internal_is_left_out() -> None:
    other: dict[str, Any] = {"paths": {"/internal/customers/{id}": {}, "/customers": {}}}

    assert set(combined(OWN, [other])["paths"]) == {"/own", "/customers"}


def test_the_parts_stay_as_they_were() -> None:
    one = {"paths": {"/one": {}}, "components": {"schemas": {"One": {}}}}
    before = json.dumps([OWN, one])

    combined(OWN, [one])

    assert json.dumps([OWN, one]) == before


def test_only_refusals_get_the_failure_shape() -> None:
    answers: dict[str, Any] = {"201": {"content": "a"}, "409": {"content": "b", "headers": "c"}}
    given = {"info": {}, "paths": {"/own": {"post": {"summary": "s", "responses": answers}}}}

    operation = own_document(given)["paths"]["/own"]["post"]

    failure = {"application/json": {"schema": {"$ref": "#/components/schemas/OrchestrationFailed"}}}
    assert operation == {
        "summary": "s",
        "responses": {"201": {"content": "a"}, "409": {"content": failure, "headers": "c"}},
    }


def test_no_two_schemas_of_one_name_differ() -> None:
    known: dict[str, Any] = {}
    for file in sorted(ROOT.glob("*/schemas/*.json")):
        schema = json.loads(file.read_text("utf-8"))
        assert known.setdefault(file.stem, schema) == schema, file
    assert {"Customer", "Order", "OrchestrationFailed", "Problem"} <= set(known)
