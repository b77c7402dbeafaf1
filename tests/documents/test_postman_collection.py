"""What the Postman collection must have, whoever edits it, and in whichever tool."""

import json
import re
from typing import Any

import pytest

import customers_api.problems
import orders_api.problems
import service_kit.problems
from local_system.calls import get
from local_system.system import LocalSystem
from service_kit.openapi_refusals import catalogue
from tests.documents.postman_collection import (
    Call,
    calls,
    collection,
    environment,
    folders,
    scripts_of,
)

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
METHODS = {"get", "post", "put", "patch", "delete"}
TOKENS = {"token", "viewer_token", "service_token"}

CANNOT_BE_ASKED_FOR = {
    "BUSY",
    "CUSTOMERS_UNAVAILABLE",
    "INTERNAL_ERROR",
    "MALFORMED_REQUEST",
    "RATE_LIMITED",
    "REQUEST_TIMEOUT",
    "UPSTREAM_TIMEOUT",
    "UPSTREAM_UNAVAILABLE",
}
"""Codes that no request brings about by itself; the collection's text says so of each."""


def routes_of(document: dict[str, Any]) -> set[tuple[str, str]]:
    return {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations.keys() & METHODS
    }


def document_of(base_url: str) -> dict[str, Any]:
    document = get(f"{base_url}/openapi.json", timeout_seconds=10).json()
    assert isinstance(document, dict)
    return document


def is_called(method: str, path: str) -> bool:
    """Say whether some request has the method and a path of this template."""
    pattern = re.sub(r"\{[^}]+\}", r"\\{\\{\\w+_id\\}\\}", path)
    return any(call.method == method and re.fullmatch(pattern, call.path) for call in calls())


def test_every_route_and_method_is_called(system: LocalSystem) -> None:
    routes = routes_of(document_of(system.gateway_url))
    internal = {
        route for route in routes_of(document_of(system.customers_url)) if "/internal/" in route[1]
    }

    assert len(routes) > 10
    assert internal
    assert sorted(route for route in routes | internal if not is_called(*route)) == []


def test_every_refusal_that_can_be_asked_for_is_shown_and_the_others_are_named() -> None:
    codes = catalogue(service_kit.problems, customers_api.problems, orders_api.problems).keys()
    checks = "\n".join(call.scripts["test"] for call in calls())
    shown = set(re.findall(r"\.code\)\.to\.equal\('([A-Z_]+)'\)", checks))
    described = "\n".join(str(folder["description"]) for folder in folders())

    assert codes - shown == CANNOT_BE_ASKED_FOR
    assert [code for code in CANNOT_BE_ASKED_FOR if code not in described] == []


@pytest.mark.parametrize("call", calls(), ids=lambda call: call.place)
def test_every_request_checks_its_answer_and_says_what_it_is_for(call: Call) -> None:
    assert re.search(r"^pm\.test\(", call.scripts["test"], re.MULTILINE)
    assert "pm.response.to.have.status(" in call.scripts["test"]
    assert call.request["description"].endswith(".")


def test_every_folder_says_what_it_is_for() -> None:
    assert [folder["name"] for folder in folders() if not folder.get("description")] == []


def test_the_format_is_2_1_and_every_identity_is_its_own() -> None:
    identities = [
        *(call.identity for call in calls()),
        *(str(folder["id"]) for folder in folders()),
        *(str(example["id"]) for call in calls() for example in call.examples),
    ]

    assert collection()["info"]["schema"] == SCHEMA
    assert len(identities) == len(set(identities))


def test_no_secret_is_in_the_files() -> None:
    values = {entry["key"]: entry["value"] for entry in environment()["values"]}
    kinds = {entry["key"]: entry["type"] for entry in environment()["values"]}

    assert {name for name, value in values.items() if value == ""} == TOKENS
    assert {name for name, kind in kinds.items() if kind == "secret"} == TOKENS
    assert {entry["value"] for entry in collection()["variable"]} == {""}
    assert not re.search(r"eyJ[A-Za-z0-9_-]{10}", json.dumps(collection()))


def test_every_variable_is_declared_and_used() -> None:
    of_environment = {entry["key"] for entry in environment()["values"]}
    of_collection = {entry["key"] for entry in collection()["variable"]}
    text = "\n".join([*(call.text for call in calls()), json.dumps(collection()["auth"])])
    used = set(re.findall(r"\{\{(\w+)\}\}|collectionVariables\.get\('(\w+)'\)", text))
    of_one_request = set(re.findall(r"pm\.variables\.set\('(\w+)'", text))

    assert not of_environment & of_collection
    assert {"".join(names) for names in used} == of_environment | of_collection | of_one_request
    assert set(re.findall(r"collectionVariables\.set\('(\w+)'", text)) == of_collection


def all_scripts() -> list[str]:
    own = scripts_of(collection()["event"]).values()
    return [*own, *(script for call in calls() for script in call.scripts.values())]


@pytest.mark.parametrize(
    "unknown",
    [
        r"\bpostman\.",
        r"pm\.sendRequest",
        r"pm\.execution",
        r"pm\.iterationData",
        r"pm\.visualizer",
        # Its headers' get gives an object, and knows a name in one spelling alone.
        r"headers\.get\(",
        # The importer takes these for Postman's oldest API, and rewrites them.
        r"(?<![.$\-\"'])\b(globals|environment|tests)[.\[]",
        r"\b(responseBody|responseTime|responseCode|responseHeaders)\b",
    ],
)
def test_no_script_uses_what_insomnia_does_not_know(unknown: str) -> None:
    assert [script for script in all_scripts() if re.search(unknown, script)] == []


def test_no_request_uses_what_insomnia_does_not_import() -> None:
    """It gives a request without authorisation of its own that of the collection."""
    for call in calls():
        assert "{{$" not in call.text, call.place
        assert not re.search(r"\{[%#]", json.dumps(call.request)), call.place
        assert isinstance(call.request["description"], str), call.place
        assert call.request.get("auth", {}).get("type") in {None, "bearer", "noauth"}, call.place
        if call.request.get("auth", {}).get("type") == "noauth":
            assert "status(401)" not in call.scripts["test"], call.place
