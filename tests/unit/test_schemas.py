import json
import string
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import customers_api.document
import orders_api.document
from service_kit.problems import ValidationFailed
from service_kit.schemas import KIT_SCHEMAS, MOST_ERRORS, Schemas, Validator, normalize

SERVICES = {
    "customers": Schemas(KIT_SCHEMAS, customers_api.document.SCHEMAS),
    "orders": Schemas(KIT_SCHEMAS, orders_api.document.SCHEMAS),
}
ALL_SCHEMAS = [
    pytest.param(schemas, name, id=f"{service}-{name}")
    for service, schemas in SERVICES.items()
    for name in schemas.documents
]

NESTED_LIST = {"type": "array", "maxItems": 3, "items": {"$ref": "#/components/schemas/Part"}}
PART = {
    "type": "object",
    "additionalProperties": False,
    "required": ["a/b", "c~d"],
    "properties": {"a/b": {"type": "integer", "minimum": 0}, "c~d": {"enum": ["x", "y"]}},
}
WHOLE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "parts"],
    "properties": {
        "name": {"type": "string", "minLength": 2, "maxLength": 5, "x-text": True},
        "key": {"type": "string", "maxLength": 5},
        "code": {
            "type": "string",
            "minLength": 2,
            "pattern": "^[a-z]*$",
            "x-rule": "must be two small letters or more",
        },
        "number": {"type": ["integer", "null"], "maximum": 9},
        "parts": NESTED_LIST,
    },
}


@pytest.fixture
def whole(tmp_path: Path) -> Validator:
    for name, document in {"Whole": WHOLE, "Part": PART}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    return Schemas(tmp_path).validator("Whole")


def errors_of(validator: Validator, value: Any) -> list[tuple[str, str]]:
    with pytest.raises(ValidationFailed) as refusal:
        validator.check(value)
    return [(error["pointer"], error["detail"]) for error in refusal.value.errors]


@pytest.mark.parametrize(("schemas", "name"), ALL_SCHEMAS)
def test_every_schema_is_one_and_says_what_it_is_for(schemas: Schemas, name: str) -> None:
    document = schemas.documents[name]

    Draft202012Validator.check_schema(document)
    assert document["description"]


@pytest.mark.parametrize(("schemas", "name"), ALL_SCHEMAS)
def test_every_example_fits_its_schema(schemas: Schemas, name: str) -> None:
    for example in schemas.documents[name].get("examples", []):
        assert schemas.validator(name).check(example) == example


# RFC 9457 lets a problem have members of its own, OpenAPI says what a document has.
OPEN_BY_THEIR_STANDARDS = {"Problem", "Document"}


@pytest.mark.parametrize(("schemas", "name"), ALL_SCHEMAS)
def test_no_object_of_a_request_or_an_answer_takes_unknown_fields(
    schemas: Schemas, name: str
) -> None:
    if name in OPEN_BY_THEIR_STANDARDS:
        return
    for part in _objects(schemas.documents[name]):
        assert part["additionalProperties"] is False


def _objects(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, list):
        for part in schema:
            yield from _objects(part)
    elif isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for name, part in schema.items():
            if name != "examples":
                yield from _objects(part)


def test_a_value_that_fits_comes_back_as_the_service_means_it(whole: Validator) -> None:
    value = {
        "name": " Cafe\u0301\u3000",
        "key": " k ",
        "number": 3.0,
        "parts": [{"a/b": 1.0, "c~d": "x"}],
    }

    checked = whole.check(value)

    assert checked == {
        "name": "Café",
        "key": " k ",
        "number": 3,
        "parts": [{"a/b": 1, "c~d": "x"}],
    }
    assert isinstance(checked["number"], int)
    assert isinstance(checked["parts"][0]["a/b"], int)


def test_all_errors_are_reported_with_a_pointer_each(whole: Validator) -> None:
    value = {
        "name": "x",
        "code": "ABC",
        "number": True,
        "parts": [{"a/b": -1, "c~d": "z", "e": 0}, 7, {}],
        "un/known": 1,
    }

    assert set(errors_of(whole, value)) == {
        ("/un~1known", "is not known here"),
        ("/name", "must have 2 characters or more"),
        ("/code", "must be two small letters or more"),
        ("/number", "must be an integer or null"),
        ("/parts/0/a~1b", "must be 0 or more"),
        ("/parts/0/c~0d", "must be one of x, y"),
        ("/parts/0/e", "is not known here"),
        ("/parts/1", "must be an object"),
        ("/parts/2/a~1b", "is required"),
        ("/parts/2/c~0d", "is required"),
    }


def test_a_bound_of_one_is_told_in_the_singular(tmp_path: Path) -> None:
    bounds = {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}}
    (tmp_path / "Some.json").write_text(json.dumps(bounds), "utf-8")
    validator = Schemas(tmp_path).validator("Some")

    assert errors_of(validator, []) == [("", "must have 1 item or more")]
    assert errors_of(validator, [""]) == [("/0", "must have 1 character or more")]


def test_each_fact_is_told_once_even_if_two_keywords_refuse_by_one_rule(whole: Validator) -> None:
    errors = errors_of(whole, {"name": "ok", "parts": [], "code": "A"})

    assert errors == [("/code", "must be two small letters or more")]


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "text", [], [{}]])
def test_what_is_no_object_at_all_is_an_error_of_the_whole(whole: Validator, value: Any) -> None:
    assert errors_of(whole, value) == [("", "must be an object")]


@pytest.mark.parametrize("number", [True, False, "1", 1.5, [], {}])
def test_only_numbers_without_fraction_are_integers(whole: Validator, number: Any) -> None:
    assert errors_of(whole, {"name": "ok", "parts": [], "number": number}) == [
        ("/number", "must be an integer or null")
    ]


def test_a_pattern_ends_at_the_very_end(whole: Validator) -> None:
    assert errors_of(whole, {"name": "ok", "parts": [], "code": "abc\n"}) == [
        ("/code", "must be two small letters or more")
    ]


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("12345", True),
        ("123456", False),
        ("😀😀😀😀😀", True),
        ("e\u0301" * 5, True),
        ("e\u0301" * 6, False),
        ("   1   ", False),
        # In NFC this one letter is three: what is measured is what is kept.
        ("\ufb2c", True),
        ("\ufb2c\ufb2c", False),
    ],
)
def test_a_text_is_measured_in_code_points_as_it_is_kept(
    whole: Validator, name: str, fits: bool
) -> None:
    value = {"name": name, "parts": []}

    if fits:
        assert whole.check(value)["name"] == unicodedata.normalize("NFC", name.strip())
    else:
        assert [pointer for pointer, _ in errors_of(whole, value)] == ["/name"]


@given(st.text())
def test_normalizing_twice_is_normalizing_once(text: str) -> None:
    assert normalize(normalize(text)) == normalize(text)


@pytest.mark.parametrize("control", ["\x1c", "\x1d", "\x1e", "\x1f", "\x00", "\x7f"])
def test_trimming_does_not_swallow_control_characters_that_are_no_white_space(control: str) -> None:
    assert normalize(f" {control}acme{control} ") == f"{control}acme{control}"


def test_a_value_nested_as_deep_as_json_may_be_is_refused_like_any_other(whole: Validator) -> None:
    deep: Any = 1
    for _ in range(1000):
        deep = [deep]

    assert errors_of(whole, deep)
    assert errors_of(whole, {"name": deep, "parts": deep})


def test_no_more_errors_are_looked_for_than_are_told(whole: Validator) -> None:
    started = time.process_time()

    errors = errors_of(whole, {"name": "ok", "parts": [1] * 200_000})

    assert len(errors) == MOST_ERRORS
    assert time.process_time() - started < 1.0


def test_names_and_values_of_a_caller_do_not_make_an_error_long(whole: Validator) -> None:
    value = {"name": "x" * 100_000, "parts": [], "y" * 100_000: 1}

    assert all(len(pointer) + len(detail) < 1000 for pointer, detail in errors_of(whole, value))


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("-1", -1), ("9", 9)])
def test_an_integer_of_a_query_is_a_text_of_digits(tmp_path: Path, text: str, number: int) -> None:
    (tmp_path / "Query.json").write_text(
        json.dumps({"type": "object", "properties": {"limit": {"type": "integer"}}})
    )

    assert Schemas(tmp_path).validator("Query").check_texts({"limit": text}) == {"limit": number}


@pytest.mark.parametrize("digits", [20, 5000])
@pytest.mark.parametrize("sign", ["", "-"])
def test_an_integer_of_a_query_may_be_past_every_bound(
    tmp_path: Path, sign: str, digits: int
) -> None:
    bounded = {"type": "integer", "minimum": 1, "maximum": 100}
    (tmp_path / "Query.json").write_text(
        json.dumps({"type": "object", "properties": {"limit": bounded}})
    )

    with pytest.raises(ValidationFailed) as refusal:
        Schemas(tmp_path).validator("Query").check_texts({"limit": sign + "9" * digits})

    bound = "1 or more" if sign else "100 or less"
    assert refusal.value.errors == [{"pointer": "/limit", "detail": f"must be {bound}"}]


@pytest.mark.parametrize(
    "text",
    ["", " 1", "1 ", "+1", "01", "-0x1", "1.0", "1e3", "\uff11", "true", "1_000", "9" * 5000 + "x"],
)
def test_any_other_text_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "Query.json").write_text(
        json.dumps({"type": "object", "properties": {"limit": {"type": "integer"}}})
    )

    with pytest.raises(ValidationFailed) as refusal:
        Schemas(tmp_path).validator("Query").check_texts({"limit": text})

    assert refusal.value.errors == [{"pointer": "/limit", "detail": "must be an integer"}]


TEXTS = st.text(string.ascii_letters + "@.-+ 1\n\x1f\x85é", max_size=12)
NEARLY_RIGHT = st.dictionaries(
    st.sampled_from(
        ["name", "email", "phone", "sku", "price_cents", "stock", "stock_delta", "customer_id"]
    ),
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(-2, 2)
    | TEXTS
    | st.sampled_from(["a@b.co", "+34 910", "SKU-1", 1e15, 10**20, 2.0, [], {}]),
)


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("customers", "CustomerInput"),
        ("customers", "CustomersQuery"),
        ("orders", "ProductInput"),
        ("orders", "ProductChange"),
        ("orders", "OrderInput"),
        ("orders", "NoInput"),
    ],
)
@given(value=NEARLY_RIGHT)
def test_the_validator_that_decides_and_the_one_that_explains_agree(
    service: str, name: str, value: dict[str, Any]
) -> None:
    schemas = SERVICES[service]
    explains = Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas.documents}}
    )

    errors, checked = [], None
    try:
        checked = schemas.validator(name).check(value)
    except ValidationFailed as refusal:
        errors = refusal.errors

    # What jsonschema does not explain is told in the other one's words, which begin so.
    assert not any(error["detail"].startswith("data") for error in errors)
    assert bool(errors) != (checked is not None)
    assert errors or explains.is_valid(checked)


def test_a_text_too_long_for_any_schema_costs_no_normalisation() -> None:
    # A run of combining marks takes quadratic time to bring in order: minutes for this one.
    marks = "a" + "\u0301" * 100_000 + "\u0323" * 100_000

    assert normalize(f" {marks} ") == marks
