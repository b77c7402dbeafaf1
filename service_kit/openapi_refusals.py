"""What operations refuse with: for each status its codes, for programs, and an example of each."""

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from service_kit.openapi_components import Components, Document
from service_kit.openapi_vocabulary import EXAMPLE_CORRELATION_ID
from service_kit.problems import MEDIA_TYPE, MethodNotAllowed, Problem, RateLimited

Catalogue = Mapping[str, type[Problem]]
Facts = Mapping[str, Sequence[Mapping[str, Any]]]
"""Of some codes: the ``errors`` that the example shows."""

# What they say depends on the path or the caller, so the classes themselves have none.
_HEADERS_OF_AN_OCCURRENCE: dict[type[Problem], list[str]] = {
    MethodNotAllowed: ["Allow"],
    RateLimited: ["Retry-After"],
}


def catalogue(*modules: ModuleType) -> Catalogue:
    """Return the problems that modules define, by their codes."""
    return {
        value.code: value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Problem)
    }


class Refusals:
    """Writes refusals as responses; those that operations share become components."""

    def __init__(self, known: Catalogue, components: Components) -> None:
        self._known = known
        self._components = components

    def responses(self, codes: Sequence[str], facts: Facts) -> dict[str, Document]:
        """Return a response for each status of these codes.

        Raises:
            KeyError: nothing is known of a code.
        """
        by_status: dict[str, list[type[Problem]]] = {}
        for code in dict.fromkeys(codes):
            problem = self._known[code]
            by_status.setdefault(str(problem.status), []).append(problem)
        return {
            status: self._response(problems, facts)
            for status, problems in sorted(by_status.items())
        }

    def _response(self, problems: Sequence[type[Problem]], facts: Facts) -> Document:
        codes = [problem.code for problem in problems]
        response = self._inline(problems, facts)
        if any(code in facts for code in codes):
            return response
        return self._components.reference("responses", ".".join(codes), response)

    def _inline(self, problems: Sequence[type[Problem]], facts: Facts) -> Document:
        status = problems[0].status
        codes = [problem.code for problem in problems]
        narrowed = {"properties": {"status": {"const": status}, "code": {"enum": codes}}}
        content = {
            "schema": {"allOf": [self._components.schema("Problem"), narrowed]},
            "examples": {p.code: {"value": _example(p, facts.get(p.code, ()))} for p in problems},
        }
        headers = {name: None for problem in problems for name in _headers(problem)}
        return {
            "description": " ".join(f"`{p.code}`: {p.title}." for p in problems),
            "headers": self._components.answer_headers(headers),
            "content": {MEDIA_TYPE: content},
        }


def codes_of(response: Document) -> list[str]:
    """Return the codes of a refusal that was written here."""
    narrowed = response["content"][MEDIA_TYPE]["schema"]["allOf"][1]
    codes: list[str] = narrowed["properties"]["code"]["enum"]
    return codes


def joined(one: Document, other: Document) -> Document:
    """Return the refusal that is either of two with one status, both written here."""
    (first, second) = (refusal["content"][MEDIA_TYPE] for refusal in (one, other))
    problem, narrowed = first["schema"]["allOf"]
    properties = {
        **narrowed["properties"],
        "code": {"enum": [*codes_of(one), *codes_of(other)]},
    }
    content = {
        "schema": {"allOf": [problem, {"properties": properties}]},
        "examples": {**first["examples"], **second["examples"]},
    }
    return {
        "description": f"{one['description']} {other['description']}",
        "headers": {**one["headers"], **other["headers"]},
        "content": {MEDIA_TYPE: content},
    }


def _headers(problem: type[Problem]) -> list[str]:
    # "Connection" is between two neighbours; a client's library acts on it by itself.
    lasting = [name for name in problem.default_headers if name != "Connection"]
    return [*lasting, *_HEADERS_OF_AN_OCCURRENCE.get(problem, [])]


def _example(problem: type[Problem], errors: Sequence[Mapping[str, Any]]) -> Document:
    return problem(errors=errors).document(EXAMPLE_CORRELATION_ID)
