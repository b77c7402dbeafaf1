"""The services' paths, passed through: the request as a whole, the answer as it comes."""

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, cast

import aiohttp
import structlog
from tornado.httputil import HTTPInputError
from tornado.iostream import StreamClosedError

from gateway import headers, paths
from gateway.handlers import CLIENT_LEFT, ClientLeft, WaitingHandler
from gateway.services import PassedRequest, Service
from service_kit import correlation
from service_kit.handlers import Access
from service_kit.problems import NotFound, UpstreamUnavailable

if TYPE_CHECKING:
    from tornado.http1connection import HTTP1Connection

log = structlog.get_logger()

# On, and zero seconds: closing the socket resets the connection.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class ProxyHandler(WaitingHandler):
    """All below one of the services' paths; who may call is the service's business."""

    access = Access.PUBLIC
    service: Service
    client_seconds: float

    async def prepare(self) -> None:
        """Refuse a path that is not passed on."""
        await super().prepare()
        if not paths.is_passed_on(self.request.path):
            raise NotFound

    async def get(self, *_arguments: str) -> None:
        """Pass the request on."""
        try:
            await self.while_client_stays(self._pass_on())
        except (ClientLeft, StreamClosedError):
            if not self._headers_written:
                self.set_status(CLIENT_LEFT)

    head = post = put = patch = delete = options = get

    async def _pass_on(self) -> None:
        async with self.service.answer(self._passed_request()) as response:
            try:
                await self._copy(response)
            except StreamClosedError:
                raise
            except (aiohttp.ClientError, OSError) as error:
                if not self._headers_written:
                    raise UpstreamUnavailable(f"{self.service.name} broke off.") from error
                self._break_off(type(error).__name__)

    def _passed_request(self) -> PassedRequest:
        request = self.request
        return PassedRequest(
            method=request.method or "",
            path=request.path,
            query=request.query,
            headers=headers.to_service(
                request.headers.get_all(), self.origin(), self.correlation_id
            ),
            body=request.body,
        )

    async def _copy(self, response: aiohttp.ClientResponse) -> None:
        self._start(response)
        # What has come with the headers goes out with them, in one packet.
        self.write(response.content.read_nowait())
        await self._send()
        async for part in response.content.iter_any():
            self.write(part)
            await self._send()

    def _start(self, response: aiohttp.ClientResponse) -> None:
        """Take over the status and the header fields; of our own only the id stays."""
        self.set_status(response.status)
        for name in set(self._headers) - {"Date"}:
            self.clear_header(name)
        try:
            for name, value in headers.to_client(response.status, response.raw_headers):
                write = self.set_header if name.lower() == "date" else self.add_header
                write(name, value)
        except (ValueError, HTTPInputError) as error:
            self.clear()
            raise UpstreamUnavailable(f"{self.service.name} answered nonsense.") from error
        self.set_header(correlation.HEADER, self.correlation_id)
        if self.application.draining:
            self.set_header("Connection", "close")

    async def _send(self) -> None:
        async with asyncio.timeout(self.client_seconds):
            await self.flush()

    def _break_off(self, reason: str) -> None:
        """Reset the client's connection, so that half an answer cannot pass for a whole one.

        A plain close would do so under HTTP/1.0, where it ends the body.
        """
        log.warning("answer broken off", service=self.service.name, reason=reason)
        stream = cast("HTTP1Connection", self.request.connection).stream
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        stream.close()
