"""Tornado's HTTP server, with what it refuses by itself put into words, and bounds."""

import resource
from collections.abc import Awaitable
from typing import Any

import structlog
from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream

from service_kit import correlation, jsons
from service_kit.bodies import SERVER_LIMIT_BYTES
from service_kit.problems import MEDIA_TYPE, MalformedRequest

log = structlog.get_logger()

IDLE_CONNECTION_SECONDS = 75
BODY_SECONDS = 30
LARGEST_HEADERS_BYTES = 32 * 1024
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
        body_timeout=BODY_SECONDS,
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
    write = stream.write

    def write_in_words(data: bytes | memoryview) -> Awaitable[None]:
        return write(_malformed_request() if data == _BARE_REFUSAL else data)

    stream.write = write_in_words  # type: ignore[method-assign,assignment]


def _malformed_request() -> bytes:
    correlation_id = correlation.new()
    problem = MalformedRequest()
    log.info("malformed request", correlation_id=correlation_id)
    body = jsons.encode(problem.document(correlation_id))
    head = (
        f"HTTP/1.1 {problem.status} Bad Request\r\n"
        f"Content-Type: {MEDIA_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"{correlation.HEADER}: {correlation_id}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body
