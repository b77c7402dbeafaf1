"""The services behind the proxy: a request goes there once, unless it surely did not arrive."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp
import structlog
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, ClientTimeout
from yarl import URL

from gateway.headers import Fields
from gateway.patience import ServicePatience
from service_kit import correlation, jsons
from service_kit.problems import InvalidJson, UpstreamTimeout, UpstreamUnavailable

log = structlog.get_logger()

CONNECTIONS = 256

_READS = frozenset({"GET", "HEAD"})
# No connection came about, so nothing was sent.
_NOT_DELIVERED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
# Legal in no URL, yet Tornado reads them; "#" would end the query.
_NOT_IN_QUERY = re.compile(r"[#\x80-\xff]")
# A client that sent none of these does not send them through us either.
_OURS = frozenset({"Accept", "Accept-Encoding", "Content-Type", "User-Agent"})


@dataclass(frozen=True, slots=True)
class PassedRequest:
    """A client's request as a service gets it; ``path`` is one that `paths.is_passed_on`."""

    method: str
    path: str
    query: str
    headers: Fields
    body: bytes


class Service:
    """One service; the session is its own, so that a slow service takes no connection of others."""

    def __init__(
        self, name: str, base_url: str, session: aiohttp.ClientSession, patience: ServicePatience
    ) -> None:
        self.name = name
        self._base_url = base_url
        self._session = session
        self._patience = patience

    @asynccontextmanager
    async def answer(self, request: PassedRequest) -> AsyncIterator[ClientResponse]:
        """Send a request and hand out its answer, the body unread and as it was encoded.

        Raises:
            UpstreamTimeout: no answer began in time.
            UpstreamUnavailable: it was refused, cut, or is no HTTP.
        """
        try:
            async with asyncio.timeout(self._patience.answer):
                response = await self._begin(request)
        except TimeoutError as error:
            self._failed(request, "no answer in time")
            raise UpstreamTimeout(f"{self.name} did not answer in time.") from error
        async with response:
            yield response

    async def is_healthy(self) -> bool:
        """Ask whether the service can do its work."""
        try:
            status, _ = await self._get("/health", self._patience.health)
        except UpstreamUnavailable:
            return False
        return status == HTTPStatus.OK

    async def document(self) -> dict[str, Any]:
        """Return the service's own OpenAPI document.

        Raises:
            UpstreamUnavailable: it cannot be had now.
        """
        status, body = await self._get("/openapi.json", self._patience.document)
        try:
            document = jsons.decode(body)
        except InvalidJson:
            document = None
        if status != HTTPStatus.OK or not isinstance(document, dict):
            raise UpstreamUnavailable(f"{self.name} has no document to show.")
        return document

    async def _begin(self, request: PassedRequest) -> ClientResponse:
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._attempt(request)
            except _NOT_DELIVERED as error:
                await self._before_next(request, attempt, error)
            except TimeoutError:
                raise
            except (aiohttp.ClientError, OSError, _Cut) as error:
                # A write may have been done by now: only the caller knows what to do.
                last = attempt if request.method in _READS else self._patience.backoff.attempts
                await self._before_next(request, last, error)

    async def _before_next(self, request: PassedRequest, attempt: int, error: Exception) -> None:
        """Wait a little, if another attempt may follow this one."""
        if not self._patience.backoff.allows(attempt):
            self._failed(request, _reason(error))
            raise UpstreamUnavailable(f"{self.name} is unavailable.") from error
        await asyncio.sleep(self._patience.backoff.delay(attempt))

    async def _attempt(self, request: PassedRequest) -> ClientResponse:
        query = _NOT_IN_QUERY.sub(lambda match: f"%{ord(match[0]):02X}", request.query)
        return await self._session.request(
            request.method,
            URL(self._base_url + request.path + (f"?{query}" if query else ""), encoded=True),
            headers=request.headers,
            skip_auto_headers=_OURS,
            data=request.body or None,
            allow_redirects=False,
            auto_decompress=False,
            timeout=ClientTimeout(
                total=None,
                connect=self._patience.free_connection,
                sock_connect=self._patience.connect,
                sock_read=self._patience.answer,
            ),
            middlewares=(_send_once,),
        )

    async def _get(self, path: str, seconds: float) -> tuple[int, bytes]:
        headers = {correlation.HEADER: correlation.current.get() or correlation.new()}
        try:
            async with self._session.get(
                self._base_url + path,
                headers=headers,
                allow_redirects=False,
                timeout=ClientTimeout(total=seconds),
            ) as response:
                return response.status, await response.read()
        except (aiohttp.ClientError, OSError) as error:
            log.warning("service unavailable", service=self.name, reason=_reason(error))
            raise UpstreamUnavailable(f"{self.name} is unavailable.") from error

    def _failed(self, request: PassedRequest, reason: str) -> None:
        log.warning(
            "call not answered",
            service=self.name,
            method=request.method,
            path=request.path,
            reason=reason,
        )


class _Cut(Exception):
    """The connection broke after something was sent on it."""


async def _send_once(request: ClientRequest, send: ClientHandlerType) -> ClientResponse:
    """Keep aiohttp from sending a PUT or DELETE again by itself.

    It takes them for repeatable as HTTP does; but the second DELETE is a 404 to its client.
    """
    try:
        return await send(request)
    except _NOT_DELIVERED:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _Cut from error


def _reason(error: BaseException) -> str:
    return type(error.__cause__ if isinstance(error, _Cut) else error).__name__
