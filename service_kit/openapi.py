"""The OpenAPI 3.1 document of a service, from its handlers' docstrings and its schema files.

tornado-swagger reads the docstrings; `openapi_operations` says what stands in them.
"""

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType

from tornado.routing import URLSpec

from service_kit import problems
from service_kit.handlers import JsonHandler
from service_kit.openapi_components import Components, Document
from service_kit.openapi_operations import OperationWriter
from service_kit.openapi_refusals import Refusals, catalogue
from service_kit.schemas import Schemas

VERSION = "3.1.0"
SERVERS = [{"url": "/", "description": "Where this document was read."}]

_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})


@dataclass(frozen=True, slots=True)
class About:
    """What a document says of its service as a whole.

    ``description`` is Markdown; ``tags`` tells of each group of operations in a sentence;
    ``refusals`` are the modules with the service's own problems.
    """

    title: str
    version: str
    description: str
    tags: Mapping[str, str]
    refusals: Sequence[ModuleType] = ()


def build_document(about: About, routes: Iterable[URLSpec], schemas: Schemas) -> Document:
    """Return the document of the routes whose methods are documented."""
    # Imported here: 90 ms and a YAML parser that no start of a service need wait for.
    from tornado_swagger.setup import export_swagger  # noqa: PLC0415

    table = list(routes)
    exported = export_swagger(table, api_definition_version="openapi-3.1")
    access = {_path_key(spec): spec.target.access for spec in table if _is_ours(spec)}
    components = Components(schemas)
    refusals = Refusals(catalogue(problems, *about.refusals), components)
    writer = OperationWriter(schemas, components, refusals)
    paths = {
        path: {
            method: writer.operation(path, method, given, access[_braces_away(path)])
            for method, given in operations.items()
        }
        for path, operations in exported["paths"].items()
    }
    return {
        "openapi": VERSION,
        "info": {
            "title": about.title,
            "version": about.version,
            "description": about.description,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": SERVERS,
        "tags": [{"name": name, "description": text} for name, text in about.tags.items()],
        "paths": paths,
        "components": components.document(),
    }


def _is_ours(spec: URLSpec) -> bool:
    return isinstance(spec.target, type) and issubclass(spec.target, JsonHandler)


def _path_key(spec: URLSpec) -> str:
    return _braces_away((spec.kwargs or {})["route"])


def _braces_away(path: str) -> str:
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


def operations_of(document: Document) -> Iterator[Document]:
    """Yield all operations of a document."""
    for item in document["paths"].values():
        yield from (operation for name, operation in item.items() if name in _METHODS)


def without_dangling_links(document: Document) -> Document:
    """Return the document without the links to operations that it does not have."""
    known = {operation.get("operationId") for operation in operations_of(document)}
    mended = copy.deepcopy(document)
    for operation in operations_of(mended):
        for response in operation.get("responses", {}).values():
            links = response.pop("links", {})
            kept = {name: link for name, link in links.items() if link["operationId"] in known}
            if kept:
                response["links"] = kept
    return mended
