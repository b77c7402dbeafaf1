"""One Lambda Runtime Interface Emulator, over HTTP."""

import asyncio
import socket
from http import HTTPStatus
from io import BytesIO
from urllib.parse import urlsplit

import aiohttp
from aiohttp import AddrInfoType, ClientTimeout

from service_kit import correlation
from service_kit.problems import UpstreamUnavailable
from service_kit.upstream import read_bounded

INVOCATIONS = "/2015-03-31/functions/function/invocations"
LARGEST_ANSWER_BYTES = 6 * 1024 * 1024 + 64 * 1024
"""Lambda's own limit of a response, and some."""

# Nobody may listen any more at the end of a connection on which we wait for minutes.
_IDLE_SECONDS, _PROBE_SECONDS, _PROBES = 10, 5, 3


class EmulatorLost(Exception):
    """The emulator could not be reached, or died.

    ``was_sent``: the function may have had the event, and what it did is not known.
    """

    def __init__(self, reason: str, *, was_sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.was_sent = was_sent


def open_session(connect_seconds: float) -> aiohttp.ClientSession:
    """Open what carries invocations: a connection for each.

    One that was kept could be closed by an emulator that starts again, just when it is used: the
    loss of an emulator, to all appearance, and a repeat for nothing. There is no time limit on an
    answer, since a place is busy until the emulator has answered, whoever still waits for it.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, force_close=True, socket_factory=_watched_socket),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        timeout=ClientTimeout(total=None, sock_connect=connect_seconds),
    )


class Emulator:
    """One emulator; its callers see to it that it has one invocation at a time."""

    def __init__(self, session: aiohttp.ClientSession, endpoint: str, connect: float) -> None:
        self.endpoint = endpoint
        self._session = session
        self._connect_seconds = connect

    async def invoke(self, event: bytes) -> bytes:
        """Return what the emulator answered, however long it takes.

        Raises:
            EmulatorLost: it could not be reached, broke off, or says that the function's process
                ended (502).
            UpstreamUnavailable: it refused the event, or answered without end.
        """
        headers = {
            "Content-Type": "application/json",
            correlation.HEADER: correlation.current.get(),
        }
        url = self.endpoint + INVOCATIONS
        try:
            async with self._session.post(url, data=BytesIO(event), headers=headers) as response:
                answer = await read_bounded(response, LARGEST_ANSWER_BYTES)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise EmulatorLost(type(error).__name__, was_sent=False) from error
        except (aiohttp.ClientError, OSError) as error:
            raise EmulatorLost(type(error).__name__, was_sent=True) from error
        if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise EmulatorLost(f"status {response.status}", was_sent=True)
        if response.status != HTTPStatus.OK:
            raise UpstreamUnavailable(f"The emulator answered {response.status}.")
        return answer

    async def is_listening(self) -> bool:
        """Try to connect, no more: an invocation would have an effect, and might be the second."""
        parts = urlsplit(self.endpoint)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        try:
            async with asyncio.timeout(self._connect_seconds):
                _, writer = await asyncio.open_connection(parts.hostname, port)
        except OSError:
            return False
        writer.transport.abort()
        return True


def _watched_socket(address: AddrInfoType) -> socket.socket:
    """Return a socket that notices when the machine at its other end is gone."""
    family, kind, protocol, *_ = address
    opened = socket.socket(family, kind, protocol)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _IDLE_SECONDS)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _PROBE_SECONDS)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)
    return opened
