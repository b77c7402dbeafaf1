"""The OpenAPI documents as they are written down, and ways through them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from service_kit.openapi_components import resolved

ROOT = Path(__file__).parents[1]
FILES = [
    "customers_api/openapi.yaml",
    "orders_api/openapi.yaml",
    "orchestrator_image/openapi.yaml",
    "gateway/openapi.yaml",
]
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation with all that it refers to in place, one level deep."""

    document: dict[str, Any]
    path: str
    method: str

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def own(self) -> dict[str, Any]:
        """What the document says under path and method."""
        own: dict[str, Any] = self.document["paths"][self.path][self.method]
        return own

    @property
    def responses(self) -> dict[str, dict[str, Any]]:
        """The responses by status."""
        given = self.own["responses"]
        return {status: resolved(self.document, response) for status, response in given.items()}

    @property
    def parameters(self) -> list[dict[str, Any]]:
        """The parameters."""
        return [resolved(self.document, part) for part in self.own.get("parameters", [])]

    def contents(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield each body that can be sent or received, and what it is."""
        for media_type, content in self.own.get("requestBody", {}).get("content", {}).items():
            yield f"{self} request {media_type}", content
        for status, response in self.responses.items():
            for media_type, content in response.get("content", {}).items():
                yield f"{self} {status} {media_type}", content


def read(file: str) -> dict[str, Any]:
    """Return a document from its file, read as YAML 1.2 means it where that differs: nowhere."""
    document: dict[str, Any] = yaml.safe_load((ROOT / file).read_text("utf-8"))
    return document


def operations(document: dict[str, Any]) -> list[Operation]:
    """Return all operations of a document."""
    return [
        Operation(document, path, method)
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]
