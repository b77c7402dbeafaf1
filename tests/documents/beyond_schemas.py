"""What schemathesis is told of these services besides their documents (it imports this module).

It knows what JSON Schema can say. Refusals of requests that do fit their schema are let pass here,
each as narrowly as its reason; schemathesis reports how many.
"""

import json
import os
from http import HTTPStatus
from pathlib import Path
from typing import Any

import schemathesis
from jsonschema import Draft202012Validator
from schemathesis import Case, CheckContext, HookContext, Response
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.core.parameters import ParameterLocation
from schemathesis.openapi.checks import RejectedPositiveData, UnsupportedMethodResponse

from tests.documents.likely_requests import (
    PARAMETERS,
    Rows,
    any_version,
    cursor_of,
    new_email,
    new_key,
    new_sku,
)

INVOCATIONS = "/2015-03-31/functions/function/invocations"


def read_schema(service: str, name: str) -> dict[str, Any]:
    """Return a schema as it is written."""
    file = Path(__file__).parents[2] / service / "schemas" / f"{name}.json"
    schema: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return schema


_BY_STATE = {
    # The tag names a version; which one is the present one, no schema can know.
    "PRECONDITION_FAILED",
    # The key was used for another request before.
    "IDEMPOTENCY_KEY_REUSED",
    # The prices that make the total are the products', not the request's.
    "TOTAL_TOO_LARGE",
}
"""Codes of refusals that depend on what is stored, as 404 and 409 do, which pass without this."""

_BY_VALUE = {
    # Two parameters are compared: JSON Schema looks at one at a time.
    "/from": "is after to",
    # The bound is on the sum with the stock of the moment.
    "/stock_delta": "would make the stock ",
}
"""Facts of `VALIDATION_FAILED` that no schema can state: where, and how the sentence begins."""

_SCHEMAS = {
    ("GET", "/customers"): read_schema("customers_api", "CustomersQuery"),
    ("POST", "/customers"): read_schema("customers_api", "CustomerInput"),
    ("PUT", "/customers/{customer_id}"): read_schema("customers_api", "CustomerInput"),
    ("GET", "/products"): read_schema("orders_api", "ProductsQuery"),
    ("POST", "/products"): read_schema("orders_api", "ProductInput"),
    ("PATCH", "/products/{product_id}"): read_schema("orders_api", "ProductChange"),
}
"""Of the queries and the bodies that have texts."""

_rows = Rows(json.loads(os.environ["KNOWN_ROWS"]))
_LIKELY = {
    "email": new_email,
    "sku": new_sku,
    "idempotency_key": new_key,
    "X-Idempotency-Key": new_key,
    "If-Match": any_version,
}


@schemathesis.hook
def filter_failure(
    context: HookContext, failure: Failure, case: Case[Any], response: Response
) -> bool:
    """Tell whether a failure is one."""
    if isinstance(failure, RejectedPositiveData):
        return not _is_beyond_schemas(response.json())
    if isinstance(failure, AcceptedNegativeData):
        return not (_fits_once_trimmed(case) or _is_refused_inside(case, response))
    # AWS's emulator invokes the function by any method, at the path that AWS documents for POST.
    return not (isinstance(failure, UnsupportedMethodResponse) and case.path == INVOCATIONS)


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Make the request one that may succeed."""
    case.path_parameters = _likely(case.path_parameters)
    if isinstance(case.body, dict):
        case.body = _likely(case.body)
    for name, value in _likely(dict(case.headers)).items():
        # Ids of earlier answers are tried wherever a parameter is called an id, as numbers.
        case.headers[name] = str(value) if isinstance(value, int) else value
    for name, value in case.query.items():
        # To JSON Schema 7.0 is an integer; in a query an integer is a text of digits.
        case.query[name] = int(value) if isinstance(value, float) and value % 1 == 0 else value
    if "cursor" in case.query:
        case.query["cursor"] = cursor_of(case.path.strip("/"), case.query["cursor"])


@schemathesis.hook
def after_call(context: HookContext, case: Case[Any], response: Response) -> None:
    """Learn which rows there are."""
    if response.status_code in {200, 201} and case.path.startswith(tuple(PARAMETERS.values())):
        _rows.take_note(case.path, response.json())


@schemathesis.check
class EveryOperationSucceeds:
    """A run in which an operation never succeeds has not looked at it."""

    def __init__(self) -> None:
        self._operations: set[str] = set()
        self._succeeded: set[str] = set()

    def after_response(self, _: CheckContext, response: Response, case: Case[Any]) -> None:
        """Take note."""
        label = case.operation.label
        self._operations.add(label)
        if response.status_code < 300 and not _is_refused_inside(case, response):
            self._succeeded.add(label)

    def after_run(self, _: CheckContext) -> None:
        """Name those that never did."""
        never = sorted(self._operations - self._succeeded)
        assert not never, f"never succeeded: {', '.join(never)}"


def _likely(part: Any, name: str = "") -> Any:
    """Return a part of a request, or one of the same shape that is more likely to succeed."""
    if isinstance(part, dict):
        return {inner: _likely(value, inner) for inner, value in part.items()}
    if isinstance(part, list):
        return [_likely(value, name) for value in part]
    if name in PARAMETERS:
        return _rows.likely(name, part)
    return _LIKELY[name](part) if name in _LIKELY else part


def _is_beyond_schemas(refusal: dict[str, Any]) -> bool:
    # The orchestrator says the same as the APIs, one level deeper.
    problem = refusal.get("error", refusal)
    if problem["code"] == "VALIDATION_FAILED":
        return all(map(_cannot_be_stated, problem["errors"]))
    return problem["code"] in _BY_STATE


def _fits_once_trimmed(case: Case[Any]) -> bool:
    """Tell whether a query or a body is wrong by white space around its texts alone.

    A service trims a text before it measures it; JSON Schema has no word for that.
    """
    meta, schema = case.meta, _SCHEMAS.get((case.method, case.path))
    is_query = case.method == "GET"
    given = case.query if is_query else case.body
    if schema is None or meta is None or not isinstance(given, dict):
        return False
    wrong = {location for location, part in meta.components.items() if part.mode.is_negative}
    trimmed = {n: v.strip() if isinstance(v, str) else v for n, v in given.items()}
    here = ParameterLocation.QUERY if is_query else ParameterLocation.BODY
    return wrong == {here} and Draft202012Validator(schema).is_valid(trimmed)


def _is_refused_inside(case: Case[Any], response: Response) -> bool:
    """Tell whether an invocation failed: AWS answers 200, and the answer itself says so."""
    if case.path != INVOCATIONS:
        return False
    answer = response.json()
    return (
        answer.get("success") is False
        or answer.get("statusCode", 0) >= HTTPStatus.BAD_REQUEST
        or "errorType" in answer
    )


def _cannot_be_stated(fact: dict[str, str]) -> bool:
    beginning = _BY_VALUE.get(fact["pointer"])
    return beginning is not None and fact["detail"].startswith(beginning)
