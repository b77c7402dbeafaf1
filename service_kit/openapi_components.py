"""What a document says once and refers to, as far as something refers to it."""

import uuid
from collections.abc import Iterable
from typing import Any

from service_kit import correlation
from service_kit.openapi_vocabulary import (
    ANSWER_HEADERS,
    KEY_HEADER,
    REQUEST_HEADERS,
    SECURITY_SCHEMES,
)
from service_kit.schemas import OWN_KEYWORDS, Schemas

Document = dict[str, Any]

_LARGEST_EXACT = 2**53 - 1
"""Up to here every JSON reader keeps an integer exactly (RFC 8259, section 6)."""

_EXAMPLE_IDS = {"customer_id": 1, "product_id": 2, "order_id": 1}
"""Rows that the example data has."""

_PREFIX = "#/components/"
_KINDS = ("schemas", "responses", "parameters", "headers", "securitySchemes")


class Components:
    """The components of one document, each there because something refers to it."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas.documents
        self._parts: dict[str, Document] = {}

    def document(self) -> Document:
        """Return all of them, in the order of their names."""
        return {
            kind: dict(sorted(self._parts[kind].items())) for kind in _KINDS if kind in self._parts
        }

    def reference(self, kind: str, name: str, part: Document) -> Document:
        """Return a reference to a part, and keep the part.

        Raises:
            ValueError: another part has the name.
        """
        if self._parts.setdefault(kind, {}).setdefault(name, part) != part:
            raise ValueError(f"two different {kind} are called {name}")
        return {"$ref": f"{_PREFIX}{kind}/{name}"}

    def schema(self, name: str) -> Document:
        """Return a reference to a schema file, and keep it with all that it refers to."""
        if name not in self._parts.get("schemas", {}):
            schema = as_published(self._schemas[name])
            self.reference("schemas", name, schema)
            self.keep_schemas_of(schema)
        return {"$ref": f"{_PREFIX}schemas/{name}"}

    def keep_schemas_of(self, part: Any) -> None:
        """Keep all schemas that a part refers to."""
        for reference in sorted(_references_in(part)):
            self.schema(reference.removeprefix(f"{_PREFIX}schemas/"))

    def example(self, name: str) -> Any:
        """Return the first example of a schema file, None if it has none."""
        return next(iter(self._schemas[name].get("examples", [])), None)

    def properties(self, name: str) -> Document:
        """Return the properties of a schema file as they are published."""
        properties: Document = as_published(self._schemas[name]["properties"])
        return properties

    def header_parameter(self, name: str, *, required: bool) -> Document:
        """Return a reference to a parameter from `REQUEST_HEADERS`."""
        part = {"name": name, "in": "header", "required": required, **REQUEST_HEADERS[name]}
        return self.reference("parameters", f"{name}.required" if required else name, part)

    def key_parameter(self, operation: str, *, required: bool) -> Document:
        """Return the parameter of an idempotency key, with an example of this operation alone.

        A key names one request: one example for several operations would be refused by the second.
        """
        part = REQUEST_HEADERS[KEY_HEADER]
        example = str(uuid.uuid5(uuid.NAMESPACE_URL, operation))
        schema = {**part["schema"], "examples": [example]}
        return {"name": KEY_HEADER, "in": "header", "required": required, **part, "schema": schema}

    def path_parameter(self, name: str) -> Document:
        """Return a reference to the id in a path: ``customer_id``."""
        kind = name.removesuffix("_id")
        part = {
            "name": name,
            "in": "path",
            "required": True,
            "description": f"The {kind}'s `id`.",
            "schema": {
                "type": "integer",
                "minimum": 1,
                "maximum": _LARGEST_EXACT,
                "examples": [_EXAMPLE_IDS[name]],
            },
        }
        return self.reference("parameters", name, part)

    def answer_headers(self, names: Iterable[str]) -> Document:
        """Return references to headers from `ANSWER_HEADERS`, the correlation id among them."""
        return {
            name: self.reference("headers", name, ANSWER_HEADERS[name])
            for name in (correlation.HEADER, *names)
        }

    def security(self, names: Iterable[str]) -> list[Document]:
        """Return what one of which a caller must have; keep what each means."""
        required = list(names)
        for name in required:
            self.reference("securitySchemes", name, SECURITY_SCHEMES[name])
        return [{name: []} for name in required]


def resolved(document: Document, part: Document) -> Document:
    """Return what a part is, or what it refers to in the document."""
    reference = part.get("$ref")
    if reference is None:
        return part
    kind, _, name = str(reference).removeprefix(_PREFIX).partition("/")
    target: Document = document["components"][kind][name]
    return target


def as_published(schema: Any) -> Any:
    """Return a schema without the keywords that are between us and our validator."""
    if isinstance(schema, list):
        return [as_published(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: as_published(part) for name, part in schema.items() if name not in OWN_KEYWORDS}


def only_used_components(document: Document) -> Document:
    """Return the document without the components to which nothing leads; each kind in order."""
    components: Document = document["components"]
    used: set[str] = set()
    new = _references_in(document["paths"])
    while new:
        used |= new
        parts = [resolved(document, {"$ref": reference}) for reference in new]
        new = set().union(*map(_references_in, parts)) - used
    kept = {
        kind: {
            name: part
            for name, part in sorted(components[kind].items())
            if kind == "securitySchemes" or f"{_PREFIX}{kind}/{name}" in used
        }
        for kind in _KINDS
        if kind in components
    }
    return {**document, "components": kept}


def _references_in(part: Any) -> set[str]:
    if isinstance(part, list):
        return set().union(*map(_references_in, part))
    if not isinstance(part, dict):
        return set()
    references = set().union(*map(_references_in, part.values()))
    own = part.get("$ref")
    return references | {own} if isinstance(own, str) else references
