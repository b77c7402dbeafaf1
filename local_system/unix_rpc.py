"""XML-RPC over a Unix socket."""

import http.client
import socket
import xmlrpc.client
from pathlib import Path

_CONNECT_SECONDS = 10.0
# supervisord answers a call to stop a program when that has ended.
_ANSWER_SECONDS = 90.0


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("supervisor", timeout=_ANSWER_SECONDS)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket's file instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_CONNECT_SECONDS)
        self.sock.connect(str(self._path))
        self.sock.settimeout(_ANSWER_SECONDS)


class UnixTransport(xmlrpc.client.Transport):
    """XML-RPC over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: tuple[str, dict[str, str]] | str) -> http.client.HTTPConnection:
        """Return a connection to the socket, whatever host the URL names."""
        connection = UnixConnection(self._path)
        self._connection = host, connection  # what `close` closes
        return connection
