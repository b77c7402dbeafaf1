"""Holds what a service answers against what its OpenAPI document promises."""

import functools
import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from jsonschema import Draft202012Validator

from service_kit.openapi_components import resolved
from tests.openapi_documents import Operation, operations, read

UNDOCUMENTED = re.compile("/docs/[^/]*")
"""Paths that services know and documents do not: what the page loads, which is for browsers."""

_WITHOUT_BODY = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}


class Promises:
    """The promises of one document."""

    def __init__(self, file: str) -> None:
        self._document = read(file)
        self._operations = [(_pattern(o.path), o) for o in operations(self._document)]

    def check(
        self, method: str, path: str, status: int, headers: Mapping[str, str], body: bytes
    ) -> None:
        """Fail if an answer is none of those that the document has for this call.

        A path that the document does not know has to be one that the service does not know either,
        or one of `UNDOCUMENTED`. HEAD answers as GET does, without a body.
        """
        at_path = {o.method: o for pattern, o in self._operations if pattern.fullmatch(path)}
        if not at_path:
            is_unknown = status == HTTPStatus.NOT_FOUND and _is_refusal(method, body, "NOT_FOUND")
            place = f"{method} {path}: {status}"
            assert is_unknown or UNDOCUMENTED.fullmatch(path), f"{place}, an undocumented path"
            return
        known = at_path.get("get" if method == "HEAD" else method.lower())
        if known is None:
            assert status in {401, 405}, f"{method} {path}: {status}"
            return
        place = f"{method} {path}: {status}"
        assert str(status) in known.responses, f"{place} is not documented"
        response = known.responses[str(status)]
        self._check_headers(place, response, headers)
        if method != "HEAD":
            self._check_body(place, known, status, headers, body)

    def _check_headers(
        self, place: str, response: Mapping[str, Any], headers: Mapping[str, str]
    ) -> None:
        for name, reference in response["headers"].items():
            header = resolved(self._document, reference)
            if name not in headers:
                assert not header.get("required"), f"{place} lacks {name}"
                continue
            text = headers[name]
            value = int(text) if header["schema"]["type"] == "integer" else text
            Draft202012Validator(header["schema"]).validate(value)

    def _check_body(
        self,
        place: str,
        operation: Operation,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
    ) -> None:
        contents = operation.responses[str(status)].get("content", {})
        if not contents:
            assert status in _WITHOUT_BODY, place
            assert body == b"", place
            return
        media_type = headers["Content-Type"].partition(";")[0]
        assert media_type in contents, f"{place} is {media_type}"
        if media_type.endswith("json"):
            key = (operation.path, operation.method, str(status), media_type)
            errors = [
                f"{error.json_path}: {error.message}"
                for error in self._validator(*key).iter_errors(json.loads(body))
            ]
            assert errors == [], place

    @functools.cache  # noqa: B019  # there are few, and they last as long as the tests
    def _validator(self, path: str, method: str, status: str, media_type: str) -> Any:
        operation = Operation(self._document, path, method)
        schema = operation.responses[status]["content"][media_type]["schema"]
        return Draft202012Validator({**schema, "components": self._document["components"]})


@functools.cache
def of(file: str) -> Promises:
    """Return the promises of a document, read once."""
    return Promises(file)


def _is_refusal(method: str, body: bytes, code: str) -> bool:
    return method == "HEAD" or json.loads(body)["code"] == code


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)))
