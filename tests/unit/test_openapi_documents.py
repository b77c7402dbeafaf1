"""What every document says of every operation, whoever wrote it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

import customers_api.problems
import gateway.step_refusals
import orders_api.problems
import service_kit.problems
from service_kit.openapi_components import resolved
from service_kit.openapi_refusals import catalogue
from tests.openapi_documents import FILES, ROOT, Operation, operations, read

DOCUMENTS = {file: read(file) for file in FILES}
INVOCATION = "invokeOrchestrator"
PROBLEMS = catalogue(
    gateway.step_refusals, customers_api.problems, orders_api.problems, service_kit.problems
)
HEADERS_OF_STATUS = {
    "401": {"WWW-Authenticate"},
    "405": {"Allow"},
    "429": {"Retry-After"},
    "503": {"Retry-After"},
    "504": {"Retry-After"},
}


@pytest.fixture(params=FILES)
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    return DOCUMENTS[request.param]


def every_operation() -> list[Any]:
    return [
        pytest.param(operation, id=f"{file.partition('/')[0]} {operation}")
        for file in FILES
        for operation in operations(DOCUMENTS[file])
    ]


each_operation = pytest.mark.parametrize("operation", every_operation())


def refusals(operation: Operation) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Yield status, media type, content and headers of each refusal."""
    for status, response in operation.responses.items():
        if status >= "4" and operation.path != "/health":
            for media_type, content in response["content"].items():
                yield status, media_type, content, response["headers"]


def codes_in(content: dict[str, Any]) -> list[str]:
    """Return the codes that programs find, of a problem or of an orchestrator's failure."""
    properties = content["schema"]["allOf"][1]["properties"]
    code = properties["code"] if "code" in properties else properties["error"]["properties"]["code"]
    codes: list[str] = code["enum"]
    return codes


def test_a_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(document).validate()

    assert document["openapi"] == "3.1.0"
    assert "Invalid Swagger" not in str(document)


def test_a_document_introduces_itself(document: dict[str, Any]) -> None:
    info = document["info"]
    assert {"title", "version", "description", "license"} == set(info)
    assert "`Authorization: Bearer <token>`" in info["description"]
    assert all(server["url"] and server["description"] for server in document["servers"])


def test_who_may_call_names_every_kind_of_token_that_operations_take(
    document: dict[str, Any],
) -> None:
    commands = {"operator": "`scripts/token`", "service": "`scripts/token --service`"}
    taken = {
        scheme
        for o in operations(document)
        for required in o.own["security"]
        for scheme in required
    }

    assert [s for s in taken if commands[s] not in document["info"]["description"]] == []


def test_keywords_between_us_and_our_validator_are_not_published(document: dict[str, Any]) -> None:
    assert "x-" not in re.sub(r"x-(amz|www)", "", str(document["components"]["schemas"]))


def test_operations_have_names_of_their_own_and_tags_that_are_explained(
    document: dict[str, Any],
) -> None:
    found = operations(document)
    names = [operation.own["operationId"] for operation in found]
    used = {tag for operation in found for tag in operation.own["tags"]}

    assert len(set(names)) == len(names)
    assert used == {tag["name"] for tag in document["tags"]}
    assert all(tag["description"].endswith(".") for tag in document["tags"])


@each_operation
def test_an_operation_is_told_in_words(operation: Operation) -> None:
    summary, description = operation.own["summary"], operation.own["description"]

    assert 0 < len(summary) <= 60
    assert not summary.endswith(".")
    assert description.endswith(".")
    assert description != summary
    assert "security" in operation.own


@each_operation
def test_a_parameter_is_described_and_bounded(operation: Operation) -> None:
    for parameter in operation.parameters:
        schema = parameter["schema"]
        name = f"{operation} {parameter['name']}"
        assert parameter["description"], name
        if schema["type"] == "integer":
            assert schema["minimum"] == 1, name
            assert "maximum" in schema or parameter["name"] == "customer_id", name
        elif parameter["in"] == "query":
            assert "maxLength" in schema or "enum" in schema, name


@each_operation
def test_every_example_is_of_the_shape_that_it_is_an_example_of(operation: Operation) -> None:
    components = operation.document["components"]
    for place, content in operation.contents():
        schema = {**content["schema"], "components": components}
        validator = Draft202012Validator(schema, format_checker=FormatChecker())
        assert content["examples"], place
        for name, example in content["examples"].items():
            errors = [error.message for error in validator.iter_errors(example["value"])]
            assert errors == [], f"{place} {name}"


@each_operation
def test_parameters_have_examples_of_their_shape(operation: Operation) -> None:
    for parameter in operation.parameters:
        validator = Draft202012Validator(parameter["schema"], format_checker=FormatChecker())
        for example in parameter["schema"].get("examples", []):
            assert list(validator.iter_errors(example)) == [], parameter["name"]


@each_operation
def test_what_has_to_be_filled_in_has_an_example(operation: Operation) -> None:
    required = [parameter for parameter in operation.parameters if parameter.get("required")]

    assert [p["name"] for p in required if not p["schema"].get("examples")] == []


def test_no_key_is_an_example_of_two_operations() -> None:
    for document in DOCUMENTS.values():
        keys = [
            key
            for operation in operations(document)
            for parameter in operation.parameters
            if parameter["name"] == "X-Idempotency-Key"
            for key in parameter["schema"]["examples"]
        ]
        assert len(keys) == len(set(keys))


def test_where_a_call_may_be_repeated_it_is_said_how_long_its_key_lives() -> None:
    document = DOCUMENTS["gateway/openapi.yaml"]
    by_name = {operation.own["operationId"]: operation for operation in operations(document)}
    keys = [p for p in by_name["createOrder"].parameters if p["name"] == "X-Idempotency-Key"]
    body = document["components"]["schemas"]["CreateAndConfirmOrder"]

    told = [
        document["info"]["description"],
        by_name["createAndConfirmOrder"].own["description"],
        body["properties"]["idempotency_key"]["description"],
        *(key["description"] for key in keys),
    ]

    assert len(told) == 4
    assert [text for text in told if "24 hours" not in text] == []


def test_what_is_created_by_an_example_is_not_in_the_example_data() -> None:
    seed = (ROOT / "db/seed.sql").read_text("utf-8")
    schemas = DOCUMENTS["gateway/openapi.yaml"]["components"]["schemas"]
    ((customer,), (product,)) = (
        schemas[name]["examples"] for name in ("CustomerInput", "ProductInput")
    )

    assert "'ops@acme.com'" in seed
    assert f"'{customer['email']}'" not in seed
    assert f"'{product['sku']}'" not in seed


def test_a_product_of_an_example_is_the_one_of_the_example_data() -> None:
    seed = (ROOT / "db/seed.sql").read_text("utf-8")
    (product,) = DOCUMENTS["gateway/openapi.yaml"]["components"]["schemas"]["Product"]["examples"]

    row = "({id}, '{sku}', '{name}', {price_cents}, {stock}, ".format(**product)

    assert row in seed


@each_operation
def test_every_refusal_names_its_codes_for_programs_and_shows_each(operation: Operation) -> None:
    for status, media_type, content, _ in refusals(operation):
        codes = codes_in(content)
        assert set(content["examples"]) == set(codes), (status, media_type)
        for code, example in content["examples"].items():
            value = example["value"]
            shown = value["code"] if "code" in value else value["error"]["code"]
            assert shown == code
            assert str(PROBLEMS[code].status) == status, code
            assert value.get("status", int(status)) == int(status)


@each_operation
def test_a_refusal_is_explained_and_has_the_headers_of_its_status(operation: Operation) -> None:
    for status, _, content, headers in refusals(operation):
        description = operation.responses[status]["description"]
        assert all(f"`{code}`: " in description for code in codes_in(content)), status
        wanted = {"X-Correlation-Id"} | HEADERS_OF_STATUS.get(status, set())
        assert set(headers) == wanted, status


@each_operation
def test_every_answer_of_ours_has_the_correlation_id(operation: Operation) -> None:
    if operation.own["operationId"] == INVOCATION:
        return  # an event's answer has it inside
    for status, response in operation.responses.items():
        header = resolved(operation.document, response["headers"]["X-Correlation-Id"])
        assert header["required"], status


@each_operation
def test_who_may_call_decides_which_refusals_there_are(operation: Operation) -> None:
    statuses = set(operation.responses)
    if operation.own["security"]:
        assert {"400", "401", "403", "405", "500", "503"} <= statuses
    else:
        assert not {"401", "403"} & statuses


@each_operation
def test_what_is_made_says_where_it_is_and_what_has_versions_can_be_read_on_condition(
    operation: Operation,
) -> None:
    for status, response in operation.responses.items():
        headers = set(response.get("headers", {}))
        # The orchestrator's answer is about an order that lives elsewhere.
        if status == "201" and "orchestrator" not in operation.path:
            assert {"Location", "ETag"} <= headers
        if operation.method == "get" and status == "200" and "ETag" in headers:
            assert "304" in operation.responses
            assert "If-None-Match" in {p["name"] for p in operation.parameters}
    if "412" in operation.responses:
        assert "If-Match" in {parameter["name"] for parameter in operation.parameters}


def test_links_lead_to_operations_with_parameters_that_these_have(
    document: dict[str, Any],
) -> None:
    by_name = {operation.own["operationId"]: operation for operation in operations(document)}
    for operation in by_name.values():
        for response in operation.responses.values():
            for link in response.get("links", {}).values():
                target = by_name[link["operationId"]]
                known = {p["name"] for p in target.parameters}
                for name, expression in link["parameters"].items():
                    assert name.rpartition(".")[2] in known, (str(operation), name)
                    assert expression.startswith("$response.")


@pytest.mark.parametrize(
    ("file", "name", "targets"),
    [
        (
            "customers_api/openapi.yaml",
            "createCustomer",
            {"getCustomer", "replaceCustomer", "deleteCustomer"},
        ),
        ("orders_api/openapi.yaml", "createProduct", {"getProduct", "changeProduct"}),
        ("orders_api/openapi.yaml", "createOrder", {"getOrder", "confirmOrder", "cancelOrder"}),
        ("orders_api/openapi.yaml", "confirmOrder", {"getOrder", "cancelOrder"}),
        ("orders_api/openapi.yaml", "cancelOrder", {"getOrder"}),
        (
            "gateway/openapi.yaml",
            "createAndConfirmOrder",
            {"getOrder", "cancelOrder", "getCustomer"},
        ),
    ],
)
def test_the_story_can_be_followed_from_answer_to_call(
    file: str, name: str, targets: set[str]
) -> None:
    (operation,) = [o for o in operations(DOCUMENTS[file]) if o.own["operationId"] == name]
    (links,) = [
        set(response["links"]) for response in operation.responses.values() if "links" in response
    ]

    assert links == targets


def test_the_replay_header_stands_where_a_key_can_be_sent() -> None:
    for operation in operations(DOCUMENTS["gateway/openapi.yaml"]):
        takes_key = "X-Idempotency-Key" in {p["name"] for p in operation.parameters}
        replays = any("Idempotent-Replayed" in r["headers"] for r in operation.responses.values())
        assert takes_key == replays, str(operation)


def test_nothing_internal_is_in_the_gateways_document() -> None:
    text = (ROOT / "gateway/openapi.yaml").read_text("utf-8")

    assert "/internal/" not in text


def test_the_files_can_be_read_by_people() -> None:
    for file in FILES:
        text = (ROOT / file).read_text("utf-8")
        assert text.startswith("# Written by scripts/openapi")
        assert not re.search(r"^\s*[\w-]+: [&*]", text, re.MULTILINE), "no anchors"
        assert not re.search(r"^\s*[\w-]+: \{[^}]", text, re.MULTILINE), "no flow style"
