"""The combined OpenAPI document: both services' and the orchestrator's."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import structlog

from gateway.services import Service
from service_kit import problems
from service_kit.openapi import SERVERS, operations_of, without_dangling_links
from service_kit.openapi_components import Components, Document, only_used_components, resolved
from service_kit.openapi_refusals import Refusals, catalogue, codes_of, joined
from service_kit.operations import DocumentSource
from service_kit.problems import UpstreamUnavailable
from service_kit.schemas import KIT_SCHEMAS, Schemas
from service_kit.sharing import Shared

log = structlog.get_logger()

_GATEWAYS_OWN = ["RATE_LIMITED", "UPSTREAM_UNAVAILABLE", "UPSTREAM_TIMEOUT"]
_PRIVATE = "/internal/"
_THIS = "getDocument"
"""The document itself cannot be had while a service is away."""


class CombinedDocument:
    """The document, made of what the services say, and kept for a while."""

    def __init__(
        self,
        services: Sequence[Service],
        own: DocumentSource,
        *,
        kept_seconds: float,
        failure_kept_seconds: float,
    ) -> None:
        self._services = services
        self._own = own
        self._old: Document | None = None
        self._renewed = Shared(
            self._renew, kept_seconds=kept_seconds, failure_kept_seconds=failure_kept_seconds
        )

    async def get(self) -> Document:
        """Return the document; an old one rather than none.

        Raises:
            UpstreamUnavailable: a service is away, and there is no old one.
        """
        return await self._renewed.get()

    async def _renew(self) -> Document:
        try:
            documents = await asyncio.gather(*(service.document() for service in self._services))
            self._old = _fitted_together(await self._own(), documents)
        except UpstreamUnavailable:
            if self._old is None:
                raise
        return self._old


def _fitted_together(own: Document, documents: Sequence[Document]) -> Document:
    """Return the combined document.

    Raises:
        UpstreamUnavailable: a service's document is no OpenAPI, or not as ours are.
    """
    try:
        return combined(own, documents)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        log.exception("documents do not fit together")
        raise UpstreamUnavailable("The services' documents do not fit together.") from error


def combined(own: Document, others: Iterable[Document]) -> Document:
    """Return one document with the public paths and the components of all."""
    added = Components(Schemas(KIT_SCHEMAS))
    refusals = Refusals(catalogue(problems), added).responses(_GATEWAYS_OWN, {})
    services = [_passed_through(document, own, refusals, added) for document in others]
    paths: Document = {}
    tags: dict[str, Document] = {}
    components: dict[str, Document] = {}
    for document in [*services, {"components": added.document()}, own]:
        paths |= document.get("paths", {})
        tags |= {tag["name"]: tag for tag in document.get("tags", [])}
        for kind, parts in document.get("components", {}).items():
            known = components.setdefault(kind, {})
            _report_clashes(kind, known, parts)
            known |= parts
    document = {**own, "servers": SERVERS, "tags": [], "paths": paths, "components": components}
    used = {tag for operation in operations_of(document) for tag in operation.get("tags", [])}
    document["tags"] = [tag for name, tag in tags.items() if name in used]
    document = without_dangling_links(document)
    for operation in operations_of(document):
        if operation.get("operationId") == _THIS:
            operation["responses"]["503"] = refusals["503"]
    return only_used_components(document)


def _passed_through(
    document: Document, own: Document, refusals: Mapping[str, Document], added: Components
) -> Document:
    """Return a service's public part, with what the way through the gateway adds."""

    def with_refusals(operation: Document) -> Document:
        responses = dict(operation.get("responses", {}))
        for status, refusal in refusals.items():
            given = responses.get(status)
            responses[status] = (
                refusal if given is None else _either(document, given, refusal, added)
            )
        return {**operation, "responses": dict(sorted(responses.items()))}

    paths = {
        path: {method: with_refusals(operation) for method, operation in operations.items()}
        for path, operations in document.get("paths", {}).items()
        if not path.startswith(_PRIVATE) and path not in own["paths"]
    }
    return {**document, "paths": paths}


def _either(document: Document, given: Document, refusal: Document, added: Components) -> Document:
    """Return the refusal that is the service's or the gateway's."""
    both = joined(resolved(document, given), resolved({"components": added.document()}, refusal))
    if "$ref" not in given:
        return both
    return added.reference("responses", ".".join(codes_of(both)), both)


def _report_clashes(kind: str, known: Document, parts: Document) -> None:
    """Report two parts of one name: each service alone is right, and together one is not."""
    clashes = [name for name in known.keys() & parts.keys() if known[name] != parts[name]]
    if clashes:
        log.error("documents clash", kind=kind, names=sorted(clashes))
