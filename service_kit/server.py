"""Tornado's HTTP server, with bounds."""

import resource
import socket
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream

from service_kit.bodies import BODY_SECONDS, SERVER_LIMIT_BYTES
from service_kit.streams import Stream

IDLE_CONNECTION_SECONDS = 75
LARGEST_HEADERS_BYTES = 32 * 1024
MOST_CONNECTIONS = 10_000
RESERVED_FILES = 512
"""Descriptors kept for the database, for calls to other services, for logs."""


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
        super().handle_stream(stream, address)

    def _handle_connection(self, connection: socket.socket, address: Any) -> None:
        # Tornado would make a stream of its own kind.
        stream = Stream(
            connection,
            max_buffer_size=self.max_buffer_size,
            read_chunk_size=self.read_chunk_size,
        )
        self.handle_stream(stream, address)


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
