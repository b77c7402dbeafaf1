"""What the schema of a text says to a reader of the document, who does not trim it first."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]


def property_schema(file: str, name: str) -> dict[str, Any]:
    properties = json.loads((ROOT / file).read_text("utf-8"))["properties"]
    schema: dict[str, Any] = properties[name]
    return schema


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("customers_api/schemas/CustomerInput.json", "name"),
        ("customers_api/schemas/CustomerInput.json", "phone"),
        ("orders_api/schemas/ProductInput.json", "name"),
        ("orders_api/schemas/ProductChange.json", "name"),
    ],
)
@pytest.mark.parametrize("blank", [" " * 5, "\u00a0" * 5, "\u3000 \u2003  "])
def test_white_space_that_will_be_trimmed_away_is_no_text(file: str, name: str, blank: str) -> None:
    assert not Draft202012Validator(property_schema(file, name)).is_valid(blank)


@pytest.mark.parametrize(("phone", "fits"), [("1    ", False), ("    1", False), ("1   5", True)])
def test_a_phone_number_is_as_long_as_it_is_without_the_spaces_around(
    phone: str, fits: bool
) -> None:
    schema = property_schema("customers_api/schemas/CustomerInput.json", "phone")

    assert Draft202012Validator(schema).is_valid(phone) is fits
