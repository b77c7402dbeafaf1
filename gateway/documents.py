"""The combined OpenAPI document: both services' and the orchestrator's."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import Any

import structlog

from gateway.services import Service
from service_kit.problems import UpstreamUnavailable

log = structlog.get_logger()

Document = dict[str, Any]

_PRIVATE = "/internal/"


class CombinedDocument:
    """The document, made of what the services say, and kept for a while."""

    def __init__(self, services: Sequence[Service], own: Document, kept_seconds: float) -> None:
        self._services = services
        self._own = own
        self._kept_seconds = kept_seconds
        self._kept: Document | None = None
        self._good_until = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def get(self) -> Document:
        """Return the document; an old one rather than none.

        Raises:
            UpstreamUnavailable: a service is away, and there is no old one.
        """
        async with self._one_at_a_time:
            if self._kept is None or time.monotonic() >= self._good_until:
                self._kept = await self._renewed()
                self._good_until = time.monotonic() + self._kept_seconds
            return self._kept

    async def _renewed(self) -> Document:
        try:
            documents = await asyncio.gather(*(service.document() for service in self._services))
        except UpstreamUnavailable:
            if self._kept is None:
                raise
            return self._kept
        return combined(self._own, documents)


def own_document(document: Document) -> Document:
    """Return the gateway's own part, its refusals in the orchestrator's failure shape."""
    failure = {"application/json": {"schema": {"$ref": "#/components/schemas/OrchestrationFailed"}}}
    paths = {
        path: {
            method: {
                **operation,
                "responses": {
                    status: answer if status < "4" else {**answer, "content": failure}
                    for status, answer in operation["responses"].items()
                },
            }
            for method, operation in operations.items()
        }
        for path, operations in document["paths"].items()
    }
    return {**document, "paths": paths}


def combined(own: Document, others: Iterable[Document]) -> Document:
    """Return one document with the public paths and the components of all."""
    paths: Document = {}
    components: dict[str, Document] = {}
    for document in [*map(_passed_through, others), own]:
        paths |= {
            path: operations
            for path, operations in document.get("paths", {}).items()
            if not path.startswith(_PRIVATE)
        }
        for kind, parts in document.get("components", {}).items():
            known = components.setdefault(kind, {})
            _report_clashes(kind, known, parts)
            known |= parts
    return {**own, "servers": [{"url": "/"}], "paths": paths, "components": components}


def _passed_through(document: Document) -> Document:
    """Return a service's document with what the way through the gateway adds."""
    paths = {
        path: {method: _with_own_refusals(operation) for method, operation in operations.items()}
        for path, operations in document.get("paths", {}).items()
    }
    return {**document, "paths": paths}


def _with_own_refusals(operation: Document) -> Document:
    responses = operation.get("responses", {})
    busy = responses.get("503", {})
    reasons = f"{busy.get('description', 'Service Unavailable:')}, `UPSTREAM_UNAVAILABLE`"
    refusals = {
        "429": {**busy, "description": "Too Many Requests: `RATE_LIMITED`"},
        "503": {**busy, "description": reasons},
        "504": {**busy, "description": "Gateway Timeout: `UPSTREAM_TIMEOUT`"},
    }
    return {**operation, "responses": {**responses, **refusals}}


def _report_clashes(kind: str, known: Document, parts: Document) -> None:
    """Report two parts of one name: each service alone is right, and together one is not."""
    clashes = [name for name in known.keys() & parts.keys() if known[name] != parts[name]]
    if clashes:
        log.error("documents clash", kind=kind, names=sorted(clashes))
