"""The documents that are written down are those that the code gives, route by route."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tornado.routing import URLSpec

import customers_api.document
import customers_api.routes
import gateway.orchestration
import gateway.routes
import orders_api.document
import orders_api.routes
from local_system import openapi
from service_kit.operations import operational_routes
from tests.openapi_documents import FILES, ROOT, operations, read

# What a browser loads by itself: a redirection to the page, and what the page consists of.
FOR_BROWSERS = {"/", "/docs/", "/docs/{asset}"}
# Written by the services, and read from them.
PASSED_THROUGH = {"/customers/*", "/products/*", "/orders/*"}
# Lambda's own, and its emulator's: no server of ours has this path.
NOT_OURS = {"/2015-03-31/functions/function/invocations"}


def test_what_is_written_down_is_what_the_code_says() -> None:
    found = openapi.differences(ROOT)

    assert found == {}, "run scripts/openapi:\n" + "".join(found.values())


def test_every_document_is_written_down() -> None:
    assert [publication.path for publication in openapi.PUBLICATIONS] == FILES


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Return a folder with copies of what is written down."""
    for file in FILES:
        (tmp_path / file).parent.mkdir()
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def test_a_schema_that_changed_without_its_document_is_noticed(
    written: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    schemas = tmp_path_factory.mktemp("changed") / "schemas"
    shutil.copytree(customers_api.document.SCHEMAS, schemas)
    schema = json.loads((schemas / "CustomerInput.json").read_text("utf-8"))
    schema["properties"]["name"]["maxLength"] = 201
    (schemas / "CustomerInput.json").write_text(json.dumps(schema))
    monkeypatch.setattr(customers_api.document, "SCHEMAS", schemas)

    found = openapi.differences(written)

    assert set(found) == {"customers_api/openapi.yaml", "gateway/openapi.yaml"}
    changed = [line for line in found["customers_api/openapi.yaml"].splitlines() if "maxL" in line]
    assert [line.split() for line in changed] == [
        ["-", "maxLength:", "200"],
        ["+", "maxLength:", "201"],
    ]


def test_a_file_that_is_missing_or_was_edited_is_written_anew_and_no_other(written: Path) -> None:
    (written / FILES[0]).unlink()
    (written / FILES[1]).write_text("openapi: 3.0.3\n")

    assert openapi.write(written) == FILES[:2]
    assert openapi.differences(written) == {}
    assert openapi.write(written) == []


def test_the_command_says_what_differs_and_changes_nothing(written: Path) -> None:
    program = (
        "import pathlib, sys; from local_system import openapi;"
        "openapi.ROOT = pathlib.Path(sys.argv.pop()); sys.exit(openapi.main())"
    )
    edited = written / FILES[2]
    edited.write_text(edited.read_text("utf-8").replace("Orchestrator", "Orchestra"), "utf-8")
    before = edited.read_text("utf-8")

    done = subprocess.run(
        [sys.executable, "-c", program, "--check", str(written)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (1, "")
    assert "+  title: Orchestrator" in done.stdout
    assert edited.read_text("utf-8") == before


def template(spec: URLSpec) -> str:
    return str((spec.kwargs or {})["route"])


def served(table: list[URLSpec]) -> set[tuple[str, str]]:
    """Return each path and method that a table of routes answers, HEAD aside."""
    return {
        (template(spec), method.lower())
        for spec in table
        for method in spec.target.allowed_methods()
        if method != "HEAD" and template(spec) not in FOR_BROWSERS | PASSED_THROUGH
    }


def documented(document: dict[str, Any]) -> set[tuple[str, str]]:
    return {
        (operation.path, operation.method)
        for operation in operations(document)
        if operation.path not in NOT_OURS
    }


CUSTOMERS = served(customers_api.routes.routes())
ORDERS = served(orders_api.routes.routes())
GATEWAY = served(gateway.routes.routes())
OPERATIONAL = served(operational_routes())


@pytest.mark.parametrize(
    ("file", "routes"),
    [
        ("customers_api/openapi.yaml", CUSTOMERS | OPERATIONAL),
        ("orders_api/openapi.yaml", ORDERS | OPERATIONAL),
        ("orchestrator_image/openapi.yaml", {(gateway.orchestration.PATH, "post")}),
        (
            "gateway/openapi.yaml",
            {route for route in CUSTOMERS if not route[0].startswith("/internal/")}
            | ORDERS
            | GATEWAY
            | OPERATIONAL,
        ),
    ],
)
def test_no_route_is_without_a_document_and_no_document_without_a_route(
    file: str, routes: set[tuple[str, str]]
) -> None:
    assert documented(read(file)) == routes


def test_what_the_gateway_passes_on_goes_to_the_service_that_documents_it() -> None:
    passed = [spec for spec in gateway.routes.routes() if template(spec) in PASSED_THROUGH]

    for path, _ in CUSTOMERS | ORDERS:
        matching = [spec for spec in passed if spec.regex.match(path)]
        assert len(matching) == (0 if path.startswith("/internal/") else 1), path
