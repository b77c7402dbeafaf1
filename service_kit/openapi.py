"""The OpenAPI 3.1 document of a service, from its handlers' docstrings and its schema files.

A docstring holds, after ``---``, the operation in YAML. What many operations share is written
shorter there and spelled out here:

- ``x-body: Name``             the request body is of this schema
- ``x-query: Name``            the query parameters are the properties of this schema
- ``x-headers: [Name]``        request headers, from `REQUEST_HEADERS`
- ``x-answers: {"200": Name}`` the answers that succeed, by schema (null: no body)
- ``x-problems: {"409": [CODE]}``  its own refusals; those that hold everywhere are added
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from tornado.routing import URLSpec
from tornado_swagger.setup import export_swagger

from service_kit import correlation
from service_kit.handlers import Access, JsonHandler
from service_kit.problems import MEDIA_TYPE
from service_kit.schemas import Schemas

Document = dict[str, Any]

REQUEST_HEADERS: dict[str, Document] = {
    "X-Idempotency-Key": {
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": 255,
            "pattern": "^[!-~]([ -~]*[!-~])?$",
        },
        "description": "Names this request for 24 hours: a repeat gets the first response again.",
    },
    "If-None-Match": {
        "schema": {"type": "string"},
        "description": "The ETag of the version that the caller has: 304 while nothing changed.",
    },
    "If-Match": {
        "schema": {"type": "string"},
        "description": "The ETag of the version that is to be changed; another one refuses (412).",
    },
}

_ANSWER_HEADERS: dict[str, Document] = {
    correlation.HEADER: {
        "schema": {"type": "string", "pattern": correlation.PATTERN},
        "description": "The request's own id, or a new one: it is on every log line.",
    },
    "ETag": {
        "schema": {"type": "string"},
        "description": "Changes with every change of the representation.",
    },
    "Location": {"schema": {"type": "string"}, "description": "Where the new resource is."},
    "Idempotent-Replayed": {
        "schema": {"type": "string", "enum": ["true"]},
        "description": "The response is the first one to this key, again.",
    },
    "WWW-Authenticate": {
        "schema": {"type": "string", "enum": ["Bearer"]},
        "description": "A bearer token is asked for.",
    },
    "Retry-After": {
        "schema": {"type": "integer", "minimum": 0},
        "description": "Seconds after which a repeat makes sense.",
    },
}

_SECURITY: dict[Access, list[Document]] = {
    Access.PUBLIC: [],
    Access.OPERATORS: [{"operator": []}],
    Access.SERVICES: [{"service": []}],
    Access.OPERATORS_AND_SERVICES: [{"operator": []}, {"service": []}],
}

_SECURITY_SCHEMES: Document = {
    "operator": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An operator's or a viewer's JWT (HS256): `scripts/token` prints one.",
    },
    "service": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token by which services know each other.",
    },
}


def build_document(
    *, title: str, description: str, version: str, routes: Sequence[URLSpec], schemas: Schemas
) -> Document:
    """Return the document of the routes whose methods are documented."""
    exported = export_swagger(
        list(routes),
        title=title,
        description=description,
        api_version=version,
        api_definition_version="openapi-3.1",
    )
    access = {_path_key(spec): spec.target.access for spec in routes if _is_ours(spec)}
    paths = {
        path: {
            method: _operation(
                path, _conditional(method, operation), access[_braces_away(path)], schemas
            )
            for method, operation in operations.items()
        }
        for path, operations in exported["paths"].items()
    }
    return {
        "openapi": "3.1.0",
        "info": exported["info"],
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": schemas.documents, "securitySchemes": _SECURITY_SCHEMES},
    }


def _conditional(method: str, given: Document) -> Document:
    """Add what every read of a versioned resource can do (RFC 9110, section 13.1.2)."""
    if method != "get" or "ETag" not in given.get("x-answer-headers", []):
        return given
    return {
        **given,
        "x-headers": [*given.get("x-headers", []), "If-None-Match"],
        "x-answers": {**given["x-answers"], "304": None},
    }


def _is_ours(spec: URLSpec) -> bool:
    return isinstance(spec.target, type) and issubclass(spec.target, JsonHandler)


def _path_key(spec: URLSpec) -> str:
    return _braces_away((spec.kwargs or {})["route"])


def _braces_away(path: str) -> str:
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


def _operation(path: str, given: Document, access: Access, schemas: Schemas) -> Document:
    operation = {name: part for name, part in given.items() if not name.startswith("x-")}
    body, query = given.get("x-body"), given.get("x-query")
    problems: dict[str, list[str]] = dict(given.get("x-problems", {}))
    has_path_id = "{" in path
    operation["parameters"] = [
        *_path_parameters(path),
        *_query_parameters(query, schemas),
        *_header_parameters(given.get("x-headers", []), given),
    ]
    if body:
        operation["requestBody"] = {
            "required": not given.get("x-body-optional", False),
            "content": {"application/json": {"schema": _reference(body)}},
        }
    shared = _shared_problems(
        access, has_body=bool(body), has_query=bool(query), has_id=has_path_id
    )
    for status, codes in shared.items():
        problems[status] = [*problems.get(status, []), *codes]
    operation["responses"] = {
        **{
            str(status): _answer(str(status), name, given)
            for status, name in given.get("x-answers", {}).items()
        },
        **{status: _refusal(status, problems[status]) for status in sorted(problems)},
    }
    operation["security"] = _SECURITY[access]
    return operation


def _path_parameters(path: str) -> list[Document]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    schema = {"type": "integer", "minimum": 1}
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name in names]


def _query_parameters(name: str | None, schemas: Schemas) -> list[Document]:
    if name is None:
        return []
    properties = schemas.documents[name]["properties"]
    return [
        {
            "name": parameter,
            "in": "query",
            "description": schema.get("description", ""),
            "schema": {key: value for key, value in schema.items() if key != "description"},
        }
        for parameter, schema in properties.items()
    ]


def _header_parameters(names: Sequence[str], given: Document) -> list[Document]:
    required = given.get("x-required-headers", [])
    own = [
        {"name": name, "in": "header", "required": name in required, **REQUEST_HEADERS[name]}
        for name in names
    ]
    correlation_id = {
        "name": correlation.HEADER,
        "in": "header",
        "schema": {"type": "string", "pattern": correlation.PATTERN},
        "description": "An id of the caller's for this request and all that it causes.",
    }
    return [*own, correlation_id]


def _shared_problems(
    access: Access, *, has_body: bool, has_query: bool, has_id: bool
) -> dict[str, list[str]]:
    """Return the refusals that hold wherever a request has these parts."""
    problems: dict[str, list[str]] = {"500": ["INTERNAL_ERROR"], "503": ["BUSY"]}
    if access is not Access.PUBLIC:
        problems |= {"401": ["UNAUTHORIZED"], "403": ["FORBIDDEN"]}
    if has_id:
        problems |= {"404": ["NOT_FOUND"]}
    if has_body:
        problems |= {
            "400": ["INVALID_JSON"],
            "413": ["BODY_TOO_LARGE"],
            "415": ["UNSUPPORTED_MEDIA_TYPE"],
        }
    if has_body or has_query:
        problems |= {"422": ["VALIDATION_FAILED"]}
    return problems


def _answer(status: str, schema: str | None, given: Document) -> Document:
    names = [correlation.HEADER, *given.get("x-answer-headers", [])]
    answer: Document = {
        "description": HTTPStatus(int(status)).phrase,
        "headers": {name: _ANSWER_HEADERS[name] for name in names},
    }
    if schema is not None:
        answer["content"] = {"application/json": {"schema": _reference(schema)}}
    return answer


def _refusal(status: str, codes: Sequence[str]) -> Document:
    own = {
        "401": ["WWW-Authenticate"],
        "429": ["Retry-After"],
        "503": ["Retry-After"],
        "504": ["Retry-After"],
    }
    names = [correlation.HEADER, *own.get(status, [])]
    return {
        "description": f"{HTTPStatus(int(status)).phrase}: {', '.join(f'`{c}`' for c in codes)}",
        "headers": {name: _ANSWER_HEADERS[name] for name in names},
        "content": {MEDIA_TYPE: {"schema": _reference("Problem")}},
    }


def _reference(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}
