"""Operations, spelled out from what a handler's docstring says of them.

A docstring holds, after ``---``, the operation in YAML. What many operations share is written
shorter there and spelled out here:

- ``x-body: Name``               the request body is of this schema; its example is the schema's
- ``x-body-optional: true``      it may be left out
- ``x-body-example: value``      its example, if it is not the schema's
- ``x-body-examples: {title: value}``  further examples of it
- ``x-query: Name``              the query parameters are the properties of this schema
- ``x-headers: [Name]``          request headers, from `REQUEST_HEADERS`; within ``responses`` those
  of an answer, from `ANSWER_HEADERS`
- ``x-required-headers: [Name]`` those of the request headers that must be there
- ``x-answers: {"200": Name}``   the answers that succeed, by schema (null: no body)
- ``x-answer-headers: [Name]``   their headers, from `ANSWER_HEADERS`
- ``x-example: {member: value}`` what their example has otherwise than the schema's
- ``x-links: {operationId: {parameter: expression}}``  where a reader of the answer goes on
- ``x-problems: [CODE]``         its own refusals; those that hold everywhere are added
- ``x-refused: value``           a body or query that does not fit: the validator words the example
- ``x-facts: {CODE: [fact]}``    the ``errors`` of a refusal's example

Another word that begins with ``x-`` is a mistake and refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service_kit import correlation
from service_kit.handlers import Access
from service_kit.openapi_components import Components, Document
from service_kit.openapi_refusals import Facts, Refusals
from service_kit.openapi_vocabulary import KEY_HEADER
from service_kit.problems import ValidationFailed
from service_kit.schemas import Schemas

_SECURITY: dict[Access, list[str]] = {
    Access.PUBLIC: [],
    Access.OPERATORS: ["operator"],
    Access.SERVICES: ["service"],
    Access.OPERATORS_AND_SERVICES: ["operator", "service"],
}
_WORDS = frozenset(
    {
        "x-body",
        "x-body-optional",
        "x-body-example",
        "x-body-examples",
        "x-query",
        "x-headers",
        "x-required-headers",
        "x-answers",
        "x-answer-headers",
        "x-example",
        "x-links",
        "x-problems",
        "x-refused",
        "x-facts",
    }
)
_WORDS_OF_AN_ANSWER = frozenset({"x-headers"})
_WITHOUT_BODY = {
    "204": "Done.",
    "304": "Nothing has changed since the version that `If-None-Match` names.",
}


@dataclass(frozen=True, slots=True)
class OperationWriter:
    """Spells operations out."""

    schemas: Schemas
    components: Components
    refusals: Refusals

    def operation(self, path: str, method: str, given: Document, access: Access) -> Document:
        """Return the operation as OpenAPI has it.

        Raises:
            KeyError: a schema, a header or a problem that it names does not exist.
            ValueError: its ``x-refused`` is not refused, or it has a word that nobody knows.
        """
        _check_words(given, _WORDS)
        given = _conditional(method, given)
        operation = {name: part for name, part in given.items() if not name.startswith("x-")}
        operation["security"] = self.components.security(_SECURITY[access])
        operation["parameters"] = self._parameters(path, given)
        if "x-body" in given:
            operation["requestBody"] = self._request_body(given)
        codes = [
            *given.get("x-problems", []),
            *_shared_codes(path, given, access),
        ]
        operation["responses"] = {
            **self._natural_answers(given),
            **self._answers(given),
            **self.refusals.responses(codes, self._facts(given)),
        }
        return operation

    def _parameters(self, path: str, given: Document) -> list[Document]:
        required = given.get("x-required-headers", [])
        names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        headers = [*given.get("x-headers", []), correlation.HEADER]
        return [
            *(self.components.path_parameter(name) for name in names),
            *self._query_parameters(given.get("x-query")),
            *(self._header(h, given, required=h in required) for h in headers),
        ]

    def _header(self, name: str, given: Document, *, required: bool) -> Document:
        if name == KEY_HEADER:
            return self.components.key_parameter(given["operationId"], required=required)
        return self.components.header_parameter(name, required=required)

    def _query_parameters(self, name: str | None) -> list[Document]:
        if name is None:
            return []
        return [
            {
                "name": parameter,
                "in": "query",
                "description": schema["description"],
                "schema": {key: value for key, value in schema.items() if key != "description"},
            }
            for parameter, schema in self.components.properties(name).items()
        ]

    def _request_body(self, given: Document) -> Document:
        name = given["x-body"]
        first = given.get("x-body-example", self.components.example(name))
        examples = {name: first, **given.get("x-body-examples", {})}
        content = {
            "schema": self.components.schema(name),
            "examples": {title: {"value": value} for title, value in examples.items()},
        }
        is_required = not given.get("x-body-optional", False)
        return {"required": is_required, "content": {"application/json": content}}

    def _natural_answers(self, given: Document) -> Document:
        """Return the answers that a docstring has in full, but for their headers."""
        answers = {}
        for status, answer in given.get("responses", {}).items():
            _check_words(answer, _WORDS_OF_AN_ANSWER)
            self.components.keep_schemas_of(answer)
            own = {name: part for name, part in answer.items() if name != "x-headers"}
            headers = self.components.answer_headers(answer.get("x-headers", []))
            answers[status] = {**own, "headers": headers}
        return answers

    def _answers(self, given: Document) -> Document:
        return {
            status: self._answer(status, name, given)
            for status, name in given.get("x-answers", {}).items()
        }

    def _answer(self, status: str, name: str | None, given: Document) -> Document:
        headers = self.components.answer_headers(given.get("x-answer-headers", []))
        if name is None:
            return {"description": _WITHOUT_BODY[status], "headers": headers}
        example = self.components.example(name)
        if isinstance(example, dict):
            example = {**example, **given.get("x-example", {})}
        answer = {
            "description": self.schemas.documents[name]["description"],
            "headers": headers,
            "content": {
                "application/json": {
                    "schema": self.components.schema(name),
                    "examples": {name: {"value": example}},
                }
            },
        }
        links = given.get("x-links", {})
        if links:
            answer["links"] = {
                target: {"operationId": target, "parameters": parameters}
                for target, parameters in links.items()
            }
        return answer

    def _facts(self, given: Document) -> Facts:
        facts: dict[str, Any] = dict(given.get("x-facts", {}))
        if "x-refused" in given:
            schema = given.get("x-body") or given["x-query"]
            facts[ValidationFailed.code] = self._words(schema, given["x-refused"])
        return facts

    def _words(self, schema: str, refused: Any) -> list[Mapping[str, Any]]:
        """Return what the validator itself says."""
        try:
            self.schemas.validator(schema).check(refused)
        except ValidationFailed as refusal:
            return refusal.errors
        raise ValueError(f"{refused!r} is not refused by {schema}")


def _check_words(given: Document, known: frozenset[str]) -> None:
    unknown = {name for name in given if name.startswith("x-")} - known
    if unknown:
        raise ValueError(f"unknown words: {', '.join(sorted(unknown))}")


def _conditional(method: str, given: Document) -> Document:
    """Add what every read of a versioned resource can do (RFC 9110, section 13.1.2)."""
    if method != "get" or "ETag" not in given.get("x-answer-headers", []):
        return given
    return {
        **given,
        "x-headers": [*given.get("x-headers", []), "If-None-Match"],
        "x-answers": {**given.get("x-answers", {}), "304": None},
    }


def _shared_codes(path: str, given: Document, access: Access) -> list[str]:
    """Return the refusals that hold wherever a request has these parts."""
    codes = ["MALFORMED_REQUEST", "METHOD_NOT_ALLOWED", "HEADERS_TOO_LARGE", "INTERNAL_ERROR"]
    if access is not Access.PUBLIC:
        codes += ["UNAUTHORIZED", "FORBIDDEN", "BUSY"]
    if "{" in path:
        codes += ["NOT_FOUND"]
    if "x-body" in given:
        codes += ["INVALID_JSON", "REQUEST_TIMEOUT", "BODY_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE"]
    if "x-body" in given or "x-query" in given:
        codes += ["VALIDATION_FAILED"]
    return codes
