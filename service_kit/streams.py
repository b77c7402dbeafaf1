"""A client's connection: Tornado's own refusals put into words, and few calls of the system.

Tornado stops listening when a request has come that it does not read yet, and listens again when it
does, an instant later; it also turns Nagle's algorithm off and on for each answer. That is ten
calls of the system a request, a tenth of what a hello world costs.
"""

import re
import socket
from asyncio import Future
from collections.abc import Awaitable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import structlog
from tornado.iostream import IOStream, UnsatisfiableReadError

from service_kit import correlation, jsons
from service_kit.problems import MEDIA_TYPE, HeadersTooLarge, MalformedRequest, Problem

log = structlog.get_logger()

MOST_UNREAD_BYTES = 256 * 1024
MOST_AHEAD_BYTES = 64 * 1024
"""What a client may have sent ahead, and is still listened to."""

_CORRELATION_ID = re.compile(
    rb"^%b:[ \t]*([^\r\n]*?)[ \t]*\r?\n" % correlation.HEADER.encode(),
    re.IGNORECASE | re.MULTILINE,
)
_BARE_REFUSAL = b"HTTP/1.1 400 Bad Request\r\n\r\n"
"""What Tornado writes, and nothing else, where a request breaks HTTP's own rules."""


class Stream(IOStream):
    """The server's end of a connection."""

    _listens_ahead = False
    _head: Future[bytes] | None = None

    def __init__(self, connection: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(connection, *args, **kwargs)
        # An answer is one piece: there is never a second one to wait for.
        super().set_nodelay(True)  # Tornado's own signature

    def set_nodelay(self, value: bool) -> None:
        """Leave it as it is."""

    def reading(self) -> bool:
        """Tell whether to listen: also for what nobody reads yet, if it is little."""
        return super().reading() or self._listens_ahead

    # Tornado promises a Future, which nobody asks of it.
    def write(self, data: bytes | memoryview) -> Awaitable[None]:  # type: ignore[override]
        """Send bytes; a refusal of Tornado's own in words."""
        if data == _BARE_REFUSAL:
            data = _refusal(MalformedRequest(), self._last_head())
        return super().write(data)

    def read_until_regex(self, regex: bytes, max_bytes: int | None = None) -> Awaitable[bytes]:
        """Read the head of a request, and keep it: it may name a request that is refused."""
        # It is a Future, which Tornado does not promise here.
        self._head = head = super().read_until_regex(regex, max_bytes)  # type: ignore[assignment]
        return head

    def close(self, exc_info: Any = False) -> None:
        """Close the connection; if that is because of what came, say so first."""
        if isinstance(exc_info, UnsatisfiableReadError):
            # By a pattern it looks for the end of the headers, by a plain delimiter for a chunk's.
            if self._read_regex is not None:
                refusal = _refusal(HeadersTooLarge(), bytes(self._read_buffer))
            else:
                refusal = _refusal(MalformedRequest(), self._last_head())
            self._say_last(refusal)
        super().close(exc_info)

    def _handle_read(self) -> None:
        self._listens_ahead = False
        super()._handle_read()
        self._listens_ahead = self._read_buffer_size <= MOST_AHEAD_BYTES

    def _last_head(self) -> bytes:
        head = self._head
        is_there = head is not None and head.done() and head.exception() is None
        return head.result() if head is not None and is_there else b""

    def _say_last(self, answer: bytes) -> None:
        """Send an answer on a connection that is about to be closed, as far as it goes at once."""
        with suppress(OSError):
            self.socket.send(answer)
            self.socket.shutdown(socket.SHUT_WR)
            # What is left unread would make the kernel reset the connection: the answer got lost.
            left = MOST_UNREAD_BYTES
            while left > 0 and (data := self.socket.recv(65536)):
                left -= len(data)


def _refusal(problem: Problem, request: bytes) -> bytes:
    """Return the refusal of a request, of which as much is given as has come of its head."""
    correlation_id = _correlation_id_in(request)
    log.info("request refused", code=problem.code, correlation_id=correlation_id)
    body = jsons.encode(problem.document(correlation_id))
    head = (
        f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}\r\n"
        f"Content-Type: {MEDIA_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"{correlation.HEADER}: {correlation_id}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body


def _correlation_id_in(request: bytes) -> str:
    """Return the caller's own id if its line has come whole, once, and is sound; else a new one."""
    given = _CORRELATION_ID.findall(request)
    return correlation.adopt(given[0].decode("latin-1") if len(given) == 1 else None)
