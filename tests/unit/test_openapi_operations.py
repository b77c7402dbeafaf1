"""What stands in a handler's docstring, and what must not."""

from typing import Any

import pytest

from service_kit import problems
from service_kit.handlers import Access
from service_kit.openapi_components import Components
from service_kit.openapi_operations import OperationWriter
from service_kit.openapi_refusals import Refusals, catalogue
from service_kit.schemas import KIT_SCHEMAS, Schemas


def written(**given: Any) -> dict[str, Any]:
    """Return an operation as its document has it."""
    schemas = Schemas(KIT_SCHEMAS)
    components = Components(schemas)
    writer = OperationWriter(schemas, components, Refusals(catalogue(problems), components))
    words = {name.replace("_", "-"): value for name, value in given.items()}
    return writer.operation("/health", "get", {"summary": "Tell.", **words}, Access.PUBLIC)


def test_what_is_short_in_a_docstring_is_spelled_out() -> None:
    operation = written(x_answers={"200": "Health"}, x_problems=["RATE_LIMITED"])

    assert {"200", "429"} <= operation["responses"].keys()
    assert not [name for name in operation if name.startswith("x-")]


@pytest.mark.parametrize(
    "given",
    [
        {"x_problem": ["RATE_LIMITED"]},
        {"x_answers": {"200": "Health"}, "x_header": ["ETag"]},
        {"responses": {"200": {"description": "Yes.", "x-header": ["ETag"]}}},
    ],
)
def test_a_word_that_is_none_is_refused_by_name(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"unknown words: x-(problem|header)$"):
        written(**given)
