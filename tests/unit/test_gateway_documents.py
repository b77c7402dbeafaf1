"""One OpenAPI document out of several."""

import json
from pathlib import Path
from typing import Any

import customers_api.document
import gateway.step_refusals
import orders_api.document
import orders_api.problems
import service_kit.problems
from gateway.document import own_document
from gateway.documents import combined
from gateway.orchestration import PATH
from service_kit.openapi_components import resolved
from service_kit.openapi_refusals import catalogue, codes_of

ROOT = Path(__file__).parents[2]

OWN: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "All"},
    "servers": [{"url": "http://elsewhere"}],
    "paths": {"/own": {"post": {}}},
    "components": {"schemas": {"Own": {}}},
}


def a_reader(schema: str) -> dict[str, Any]:
    """Return an operation that refers to a schema."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"tags": [schema.lower()], "responses": {"200": {"content": content}}}


def a_service(path: str, schema: str) -> dict[str, Any]:
    return {
        "tags": [{"name": schema.lower()}, {"name": "internal"}],
        "paths": {path: {"get": a_reader(schema)}},
        "components": {"schemas": {schema: {"title": schema}, "Unused": {}}},
    }


def test_paths_tags_and_components_that_are_used_are_put_together() -> None:
    document = combined(OWN, [a_service("/one", "One"), a_service("/two", "Two")])

    assert list(document["paths"]) == ["/one", "/two", "/own"]
    assert document["info"] == {"title": "All"}
    assert [server["url"] for server in document["servers"]] == ["/"]
    assert [tag["name"] for tag in document["tags"]] == ["one", "two"]
    assert {"One", "Two", "Problem"} == set(document["components"]["schemas"])


def test_what_is_passed_through_can_be_refused_by_the_gateway_too() -> None:
    one = a_service("/one", "One")

    responses = combined(OWN, [one])["paths"]["/one"]["get"]["responses"]

    prefix = "#/components/responses/"
    assert {status: responses[status].get("$ref") for status in responses} == {
        "200": None,
        "429": f"{prefix}RATE_LIMITED",
        "503": f"{prefix}UPSTREAM_UNAVAILABLE",
        "504": f"{prefix}UPSTREAM_TIMEOUT",
    }


def test_a_refusal_of_the_service_and_of_the_gateway_under_one_status_become_one() -> None:
    document = combined(own_document(), [customers_api.document.document()])

    response = document["paths"]["/customers"]["get"]["responses"]["503"]
    refusal = resolved(document, response)
    assert codes_of(refusal) == ["BUSY", "UPSTREAM_UNAVAILABLE"]
    examples = refusal["content"]["application/problem+json"]["examples"]
    assert {name: example["value"]["code"] for name, example in examples.items()} == {
        "BUSY": "BUSY",
        "UPSTREAM_UNAVAILABLE": "UPSTREAM_UNAVAILABLE",
    }


def test_the_gateways_own_health_is_not_hidden_by_that_of_a_service() -> None:
    own = own_document()

    document = combined(own, [customers_api.document.document()])

    assert document["paths"]["/health"] == own["paths"]["/health"]


def test_what_is_internal_is_left_out() -> None:
    other: dict[str, Any] = {"paths": {"/internal/customers/{id}": {}, "/customers": {}}}

    assert set(combined(OWN, [other])["paths"]) == {"/own", "/customers"}


def test_a_service_that_cannot_be_asked_leaves_no_link_into_it() -> None:
    both = [customers_api.document.document(), orders_api.document.document()]

    def links(document: dict[str, Any]) -> set[str]:
        return set(document["paths"][PATH]["post"]["responses"]["201"].get("links", {}))

    assert links(combined(own_document(), both)) == {"getOrder", "cancelOrder", "getCustomer"}
    assert links(combined(own_document(), both[:1])) == {"getCustomer"}


def test_the_parts_stay_as_they_were() -> None:
    parts = [own_document(), customers_api.document.document()]
    before = json.dumps(parts)

    combined(parts[0], parts[1:])

    assert json.dumps(parts) == before


def test_the_refusals_of_the_steps_are_those_that_the_services_define() -> None:
    theirs = catalogue(orders_api.problems)

    for code, shown in catalogue(gateway.step_refusals).items():
        if shown not in vars(service_kit.problems).values():
            original = theirs[code]
            assert (shown.status, shown.title) == (original.status, original.title), code
            assert dict(shown.default_headers) == dict(original.default_headers), code


def test_no_two_schemas_of_one_name_differ() -> None:
    known: dict[str, Any] = {}
    for file in sorted(ROOT.glob("*/schemas/*.json")):
        schema = json.loads(file.read_text("utf-8"))
        assert known.setdefault(file.stem, schema) == schema, file
    assert {"Customer", "Order", "OrchestrationFailed", "Problem"} <= set(known)
