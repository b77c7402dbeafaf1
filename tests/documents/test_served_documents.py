"""The running system says of itself what is written down of it."""

import json
from typing import Any
from urllib.request import Request, urlopen

import pytest
from jsonschema import Draft202012Validator

from local_system.system import LocalSystem
from tests.builders import unique
from tests.openapi_documents import Operation, read
from tests.running_systems import token_of

INVOCATION = "/2015-03-31/functions/function/invocations"


def fetched(url: str, data: bytes | None = None, **headers: str) -> tuple[str, Any]:
    """Return an answer's media type and JSON."""
    request = Request(url, data, headers)
    with urlopen(request, timeout=30) as answer:
        return answer.headers.get_content_type(), json.loads(answer.read())


def an_order(system: LocalSystem, example: dict[str, Any]) -> dict[str, Any]:
    """Return the example with a customer, a product and a key that are there for this test."""
    headers = {
        "Authorization": f"Bearer {token_of(system)}",
        "Content-Type": "application/json",
    }

    def created(path: str, value: dict[str, Any]) -> int:
        _, answer = fetched(system.gateway_url + path, json.dumps(value).encode(), **headers)
        created_id: int = answer["id"]
        return created_id

    customer_id = created("/customers", {"name": "A", "email": f"{unique('a')}@acme.com"})
    product = {"sku": unique("SKU-"), "name": "A", "price_cents": 1, "stock": 10}
    items = [{**example["items"][0], "product_id": created("/products", product)}]
    own = {"customer_id": customer_id, "items": items, "idempotency_key": unique("key")}
    return {**example, **own}


@pytest.mark.system
def test_each_service_serves_its_document_for_the_place_where_it_is_read(
    system: LocalSystem,
) -> None:
    for file, url in (
        ("customers_api/openapi.yaml", system.customers_url),
        ("orders_api/openapi.yaml", system.orders_url),
        ("gateway/openapi.yaml", system.gateway_url),
    ):
        _, served = fetched(f"{url}/openapi.json")

        assert [server["url"] for server in served.pop("servers")] == ["/"], file
        written = read(file)
        del written["servers"]
        assert served == written, file


@pytest.mark.system
@pytest.mark.parametrize(
    ("event", "shape"),
    [
        ("an example", "OrchestrationSucceeded"),
        ("over HTTP", "ProxyResponse"),
        ("{}", "OrchestrationFailed"),
        ("nonsense", "errorMessage"),
    ],
)
def test_the_bare_invocation_answers_as_its_document_says(
    system: LocalSystem, event: str, shape: str
) -> None:
    document = read("orchestrator_image/openapi.yaml")
    operation = Operation(document, INVOCATION, "post")
    ((_, sent), *answers) = operation.contents()
    examples = {name: example["value"] for name, example in sent["examples"].items()}
    order = json.dumps(an_order(system, examples["CreateAndConfirmOrder"]))
    over_http = {
        **examples["HttpEvent"],
        "headers": {"authorization": f"Bearer {token_of(system)}"},
        "body": order,
    }
    events = {"an example": order, "over HTTP": json.dumps(over_http)}

    media_type, answer = fetched(
        f"{system.emulator_url}{INVOCATION}", events.get(event, event).encode()
    )

    assert f"{operation} 200 {media_type}" in [place for place, _ in answers]
    schema = operation.responses["200"]["content"]["text/plain"]["schema"]["contentSchema"]
    components = {"components": document["components"]}
    Draft202012Validator({**schema, **components}).validate(answer)
    alternatives = {s.get("$ref", "errorMessage").rpartition("/")[2]: s for s in schema["oneOf"]}
    assert Draft202012Validator({**alternatives[shape], **components}).is_valid(answer)
    assert answer.get("statusCode", 201) == 201
