"""JSON Schemas: each shape is written once, in a service's ``schemas/*.json``.

The file ``Customer.json`` is the component ``#/components/schemas/Customer``: the same references
resolve in the validators here and in the OpenAPI document. fastjsonschema, compiled, decides;
jsonschema explains a refusal, with every error.

Two keywords of ours: ``x-text`` marks a text that is trimmed and put in NFC before it is measured,
``x-rule`` is what a caller is told when the subschema that holds it refuses.
"""

import contextlib
import functools
import itertools
import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastjsonschema

from service_kit.jsons import whole_numbers
from service_kit.problems import ValidationFailed

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

MOST_ERRORS = 1000
LONGEST_DETAIL = 300
LONGEST_POINTER = 300

_DOLLAR = re.compile(r"(?<!\\)\$")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
_MOST_CHARACTERS = 30
"""Of an integer in a query: a longer one is past every bound and every id, and stays so cut off."""

KIT_SCHEMAS = Path(__file__).parent / "schemas"

OWN_KEYWORDS = frozenset({"x-text", "x-rule"})

# Unicode's White_Space, as people mean it. str.strip() would take U+001C to U+001F too, which are
# control characters and refused.
WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)


LONGEST_NORMALIZED = 2000
"""A longer text is not put in NFC, which takes quadratic time for a run of combining marks. It is
too long for every schema as it is: NFC makes a text four times shorter at the most."""


def normalize(text: str) -> str:
    """Trim white space and put the text in NFC (Unicode Standard Annex 15)."""
    trimmed = text.strip(WHITE_SPACE)
    return unicodedata.normalize("NFC", trimmed) if len(trimmed) <= LONGEST_NORMALIZED else trimmed


class Schemas:
    """The schemas of some folders, by name."""

    def __init__(self, *folders: Path) -> None:
        self.documents: dict[str, dict[str, Any]] = {
            file.stem: json.loads(file.read_text("utf-8"))
            for folder in folders
            for file in sorted(folder.glob("*.json"))
        }

    @functools.cache  # noqa: B019  # one Schemas lives as long as its service
    def validator(self, name: str) -> "Validator":
        """Return the compiled validator of a schema."""
        return Validator(name, self.documents)


class Validator:
    """Checks values against one schema."""

    def __init__(self, name: str, documents: Mapping[str, dict[str, Any]]) -> None:
        self._schema = {
            "$ref": f"#/components/schemas/{name}",
            "components": {"schemas": documents},
        }
        self._documents = documents
        properties = documents[name].get("properties", {})
        resolved = {name: self._resolve(schema) for name, schema in properties.items()}
        self._texts = {name for name, schema in resolved.items() if schema.get("x-text")}
        self._integers = {n for n, schema in resolved.items() if schema.get("type") == "integer"}
        self._decide: Callable[[Any], Any] = fastjsonschema.compile(
            # A format is for readers (JSON Schema 2020-12, section 7.2.1): no refusal hangs on it.
            self._schema,
            use_formats=False,
        )

    def check(self, value: Any) -> Any:
        """Return the value as the service means it: texts normalised, 1.0 as 1.

        Raises:
            ValidationFailed: it does not fit; ``errors`` has a JSON Pointer (RFC 6901) for each.
        """
        if self._texts and isinstance(value, dict):
            value = {name: self._prepare(name, part) for name, part in value.items()}
        try:
            self._decide(value)
        except fastjsonschema.JsonSchemaException as refusal:
            raise ValidationFailed(errors=self._explain(value, str(refusal))) from None
        return whole_numbers(value)

    def check_texts(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        """Check the parameters of a query, in which an integer is a text of decimal digits.

        Raises:
            ValidationFailed: they do not fit.
        """
        value = {
            name: int(text[:_MOST_CHARACTERS])
            if name in self._integers and _INTEGER.fullmatch(text)
            else text
            for name, text in parameters.items()
        }
        checked: dict[str, Any] = self.check(value)
        return checked

    def _prepare(self, name: str, value: Any) -> Any:
        return normalize(value) if name in self._texts and isinstance(value, str) else value

    def _resolve(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        reference = schema.get("$ref")
        return self._documents[reference.rpartition("/")[2]] if reference else schema

    @functools.cached_property
    def _explaining_schema(self) -> Any:
        return _with_exact_ends(self._schema)

    def _explain(self, value: Any, first_message: str) -> list[dict[str, str]]:
        # Imported here: 100 ms that a cold start need not pay.
        from jsonschema import Draft202012Validator  # noqa: PLC0415

        found = (
            (pointer[:LONGEST_POINTER], detail[:LONGEST_DETAIL])
            for error in Draft202012Validator(self._explaining_schema).iter_errors(value)
            for pointer, detail in _facts(error)
        )
        # Two keywords with one rule say the same thing twice.
        facts: dict[tuple[str, str], None] = {}
        # jsonschema writes the refused value into its messages, however deep it is nested.
        with contextlib.suppress(RecursionError):
            # No further than what is told: a large body could have a million errors.
            facts.update(dict.fromkeys(itertools.islice(found, MOST_ERRORS)))
        errors = [{"pointer": pointer, "detail": detail} for pointer, detail in facts]
        fallback = [{"pointer": "", "detail": first_message[:LONGEST_DETAIL]}]
        return errors or fallback


def _with_exact_ends(schema: Any) -> Any:
    """Return the schema for Python's ``re``, whose ``$`` would let a last line feed pass."""
    if isinstance(schema, list):
        return [_with_exact_ends(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _DOLLAR.sub(r"\\Z", part)
        if name == "pattern" and isinstance(part, str)
        else _with_exact_ends(part)
        for name, part in schema.items()
    }


def _facts(error: "ValidationError") -> list[tuple[str, str]]:
    """Return what one error of jsonschema means to a caller: pointers and sentences."""
    path = list(error.absolute_path)
    schema: Any = error.schema
    instance: Any = error.instance
    if error.validator == "required":
        # jsonschema names one missing property in each such error, only in its message.
        missing = [name for name in schema["required"] if f"{name!r} is" in error.message]
        return [(_pointer([*path, name]), "is required") for name in missing]
    if error.validator == "additionalProperties":
        unknown = [name for name in instance if name not in schema.get("properties", {})]
        return [(_pointer([*path, name]), "is not known here") for name in unknown]
    if "x-rule" in schema and error.validator != "type":
        return [(_pointer(path), schema["x-rule"])]
    return [(_pointer(path), _sentence(error))]


_SENTENCES: dict[str, Callable[[Any], str]] = {
    "type": lambda names: f"must be {_types(names)}",
    "minimum": lambda limit: f"must be {limit} or more",
    "maximum": lambda limit: f"must be {limit} or less",
    "minLength": lambda limit: f"must have {_count(limit, 'character')} or more",
    "maxLength": lambda limit: f"must have {_count(limit, 'character')} or fewer",
    "minItems": lambda limit: f"must have {_count(limit, 'item')} or more",
    "maxItems": lambda limit: f"must have {_count(limit, 'item')} or fewer",
    "enum": lambda values: f"must be one of {', '.join(map(str, values))}",
}


def _sentence(error: "ValidationError") -> str:
    write = _SENTENCES.get(str(error.validator))
    return write(error.validator_value) if write else error.message


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _types(names: str | list[str]) -> str:
    several = [names] if isinstance(names, str) else names
    articles = {"integer": "an integer", "object": "an object", "array": "an array", "null": "null"}
    return " or ".join(articles.get(name, f"a {name}") for name in several)


def _pointer(path: list[Any]) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
