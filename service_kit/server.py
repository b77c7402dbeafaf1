"""Tornado's HTTP server, with what it refuses by itself put into words, and bounds."""

import resource
import socket
from collections.abc import Awaitable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import structlog
from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream, UnsatisfiableReadError

from service_kit import correlation, jsons
from service_kit.bodies import BODY_SECONDS, SERVER_LIMIT_BYTES
from service_kit.problems import MEDIA_TYPE, HeadersTooLarge, MalformedRequest, Problem

log = structlog.get_logger()

IDLE_CONNECTION_SECONDS = 75
LARGEST_HEADERS_BYTES = 32 * 1024
MOST_UNREAD_BYTES = 256 * 1024
MOST_CONNECTIONS = 10_000
RESERVED_FILES = 512
"""Descriptors kept for the database, for calls to other services, for logs."""

_BARE_REFUSAL = b"HTTP/1.1 400 Bad Request\r\n\r\n"
"""What Tornado writes, and nothing else, where a request breaks HTTP's own rules."""


class Server(HTTPServer):
    """Takes so many connections at a time and no more; without a word to those above.

    Without a bound, a process that runs out of descriptors spins on accepting the next connection.
    """

    most_connections = MOST_CONNECTIONS

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """Serve a new connection."""
        if len(self._connections) >= self.most_connections:
            stream.close()
            return
        _put_refusals_into_words(stream)
        super().handle_stream(stream, address)


def http_server(application: Any) -> Server:
    """Return a server with the bounds on time and size that all services have."""
    server = Server(
        application,
        idle_connection_timeout=IDLE_CONNECTION_SECONDS,
        # The last resort: by then the client was told, and should have closed.
        body_timeout=2 * BODY_SECONDS,
        max_header_size=LARGEST_HEADERS_BYTES,
        max_body_size=SERVER_LIMIT_BYTES,
    )
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    server.most_connections = max(1, min(MOST_CONNECTIONS, files - RESERVED_FILES))
    return server


def allow_many_files() -> None:
    """Raise the process's own limit of open files to what it may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + RESERVED_FILES
    if soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _put_refusals_into_words(stream: IOStream) -> None:
    write, close = stream.write, stream.close

    def write_in_words(data: bytes | memoryview) -> Awaitable[None]:
        return write(_refusal(MalformedRequest()) if data == _BARE_REFUSAL else data)

    def close_in_words(exc_info: Any = False) -> None:
        if isinstance(exc_info, UnsatisfiableReadError):
            # By a pattern it looks for the end of the headers, by a plain delimiter for a chunk's.
            is_header = stream._read_regex is not None  # noqa: SLF001
            _say_last(stream, _refusal(HeadersTooLarge() if is_header else MalformedRequest()))
        close(exc_info)

    stream.write = write_in_words  # type: ignore[method-assign,assignment]
    stream.close = close_in_words  # type: ignore[method-assign]


def _say_last(stream: IOStream, answer: bytes) -> None:
    """Send an answer on a connection that is about to be closed, as far as it goes at once."""
    with suppress(OSError):
        stream.socket.send(answer)
        stream.socket.shutdown(socket.SHUT_WR)
        # What is left unread would make the kernel reset the connection, and the answer be lost.
        left = MOST_UNREAD_BYTES
        while left > 0 and (data := stream.socket.recv(65536)):
            left -= len(data)


def _refusal(problem: Problem) -> bytes:
    correlation_id = correlation.new()
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
