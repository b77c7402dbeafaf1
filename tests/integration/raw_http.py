"""HTTP as bytes on a socket, for requests that no client would send."""

import asyncio
import socket
from collections.abc import Iterable, Iterator
from http.client import HTTPResponse
from io import BytesIO
from typing import Any, cast
from urllib.parse import urlsplit

from multidict import CIMultiDict

from tests.apis import Answer, Api

SECONDS = 20


def request_head(api: Api, start: str, *headers: str) -> bytes:
    """Return a request up to its body; the server is asked to hang up after it."""
    own = [f"Host: {urlsplit(api.base_url).netloc}", "Connection: close"]
    if api.token is not None:
        own.append(f"Authorization: Bearer {api.token}")
    return "\r\n".join([f"{start} HTTP/1.1", *own, *headers, "", ""]).encode("latin-1")


def chunked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Put pieces of a body into HTTP's chunks, with the last one that ends it."""
    for piece in pieces:
        yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


async def exchange(
    api: Api, pieces: Iterable[bytes], *, hang_up: bool = False
) -> tuple[bytes, int]:
    """Send pieces as far as the server takes them; then, if told to, send nothing ever more.

    Return all that it answered until it hung up itself, and how many bytes it took.
    """
    address = urlsplit(api.base_url)
    loop = asyncio.get_running_loop()
    received, sent = bytearray(), 0
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.setblocking(False)
        async with asyncio.timeout(SECONDS):
            try:
                for piece in pieces:
                    await loop.sock_sendall(connection, piece)
                    sent += len(piece)
                if hang_up:
                    connection.shutdown(socket.SHUT_WR)
            except ConnectionError:
                pass  # It has hung up, and has answered before that.
            try:
                while some := await loop.sock_recv(connection, 65536):
                    received += some
            except ConnectionError:
                pass
    return bytes(received), sent


def answer_of(received: bytes, method: str = "POST") -> Answer:
    """Read an answer."""
    response = HTTPResponse(cast("Any", _Received(received)), method=method)
    response.begin()
    return Answer(response.status, CIMultiDict(response.getheaders()), response.read())


async def answer_to(api: Api, start: str, *headers: str, body: Iterable[bytes] = ()) -> Answer:
    """Send one request and read its answer."""
    received, _ = await exchange(api, [request_head(api, start, *headers), *body])
    return answer_of(received, start.partition(" ")[0])


class _Received:
    """A socket from which everything was received."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> BytesIO:
        return BytesIO(self._data)
