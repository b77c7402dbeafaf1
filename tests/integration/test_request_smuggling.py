"""Requests whose end is a matter of opinion: the gateway has the only one.

Whoever reads a request's length differently behind the gateway than it does itself could be made to
take a part of a body for another request. So everything that the services get is looked at: nothing
comes that the gateway did not take for a request of its own.
"""

import re

import pytest

from tests.apis import Api
from tests.integration.gateway_calls import System
from tests.integration.raw_http import exchange

SMUGGLED = b"GET /customers/smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"POST /customers HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(SMUGGLED)
CHUNKS = b"Transfer-Encoding: chunked\r\n"
END = b"0\r\n\r\n"


REFUSED = {
    "two lengths": HEAD + b"Content-Length: 0\r\n" + LENGTH + b"\r\n" + SMUGGLED,
    "two lengths in one field": HEAD + b"Content-Length: 0, 45\r\n\r\n" + SMUGGLED,
    "length and chunks": HEAD + LENGTH + CHUNKS + b"\r\n" + END + SMUGGLED,
    "chunks and length": HEAD + CHUNKS + LENGTH + b"\r\n" + END + SMUGGLED,
    "no length and chunks": HEAD + b"Content-Length: 0\r\n" + CHUNKS + b"\r\n" + END + SMUGGLED,
    "a length with a sign": HEAD + b"Content-Length: +0\r\n\r\n" + SMUGGLED,
    "a length below nothing": HEAD + b"Content-Length: -1\r\n\r\n" + SMUGGLED,
    "a hexadecimal length": HEAD + b"Content-Length: 0x2d\r\n\r\n" + SMUGGLED,
    "a length with an underscore": HEAD + b"Content-Length: 4_5\r\n\r\n" + SMUGGLED,
    "a length in other digits": HEAD + "Content-Length: ٤٥\r\n\r\n".encode() + SMUGGLED,
    "a length with a point": HEAD + b"Content-Length: 45.0\r\n\r\n" + SMUGGLED,
    "an empty length": HEAD + b"Content-Length: \r\n\r\n" + SMUGGLED,
    "a blank before the colon": HEAD + b"Content-Length : 0\r\n\r\n" + SMUGGLED,
    "chunks, a blank before the colon": HEAD
    + b"Transfer-Encoding : chunked\r\n"
    + LENGTH
    + b"\r\n"
    + END
    + SMUGGLED,
    "an unknown coding": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n" + END + SMUGGLED,
    "a coding before chunks": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + END + SMUGGLED,
    "a coding after chunks": HEAD
    + b"Transfer-Encoding: chunked, identity\r\n\r\n"
    + END
    + SMUGGLED,
    "chunks twice": HEAD + CHUNKS + CHUNKS + b"\r\n" + END + SMUGGLED,
    "chunks after a vertical tab": HEAD
    + b"Transfer-Encoding: \x0bchunked\r\n"
    + LENGTH
    + b"\r\n"
    + END
    + SMUGGLED,
    "a folded length": HEAD + b"Content-Length:\r\n 0\r\n" + LENGTH + b"\r\n" + SMUGGLED,
    "a zero byte in a value": HEAD + b"X-Zero: a\0b\r\n" + LENGTH + b"\r\n" + SMUGGLED,
    "a zero byte in a name": HEAD + b"Content-Length\0: 0\r\n" + LENGTH + b"\r\n" + SMUGGLED,
    "a bare return in a value": HEAD + b"X-Return: a\rb: c\r\n" + LENGTH + b"\r\n" + SMUGGLED,
    "a field without a name": HEAD + b": nothing\r\n" + LENGTH + b"\r\n" + SMUGGLED,
    "a line without a colon": HEAD + b"nonsense\r\n" + LENGTH + b"\r\n" + SMUGGLED,
    "a chunk's length with a prefix": HEAD + CHUNKS + b"\r\n0x2d\r\n" + SMUGGLED + b"\r\n" + END,
    "a chunk's length with a sign": HEAD + CHUNKS + b"\r\n+2d\r\n" + SMUGGLED + b"\r\n" + END,
    "a chunk's length with an underscore": HEAD
    + CHUNKS
    + b"\r\n2_d\r\n"
    + SMUGGLED
    + b"\r\n"
    + END,
    "a chunk's length below nothing": HEAD + CHUNKS + b"\r\n-1\r\n" + SMUGGLED + b"\r\n" + END,
    "a chunk's length after a blank": HEAD + CHUNKS + b"\r\n 2d\r\n" + SMUGGLED + b"\r\n" + END,
    "a chunk with an extension": HEAD + CHUNKS + b"\r\n2d;a=b\r\n" + SMUGGLED + b"\r\n" + END,
    "an extension with a line end": HEAD + CHUNKS + b"\r\n0;\n\r\n" + SMUGGLED,
    "a chunk that is longer than it says": HEAD + CHUNKS + b"\r\n1\r\n" + SMUGGLED + b"\r\n" + END,
    "a last chunk and then a trailer": HEAD + CHUNKS + b"\r\n0\r\nX-More: 1\r\n\r\n" + SMUGGLED,
    "chunks that end in bare line ends": HEAD + CHUNKS + b"\r\n2d\n" + SMUGGLED + b"\n0\n\n",
}
"""Each is refused, and the connection ends: what follows is read by nobody."""


@pytest.mark.parametrize("request_bytes", REFUSED.values(), ids=REFUSED)
async def test_a_request_whose_end_is_not_clear_is_refused(
    gateway: Api, system: System, request_bytes: bytes
) -> None:
    received, _ = await exchange(gateway, [request_bytes])

    assert re.findall(rb"HTTP/1\.1 (\d+) ", received) == [b"400"]
    assert b'"code":"MALFORMED_REQUEST"' in received
    assert system.customers.received == []


TAKEN = {
    "bare line ends": (HEAD + LENGTH + b"\r\n").replace(b"\r\n", b"\n") + SMUGGLED,
    "a blank line before": b"\r\n" + HEAD + LENGTH + b"\r\n" + SMUGGLED,
    "a body that looks like a request": HEAD + LENGTH + b"\r\n" + SMUGGLED,
    "chunks": HEAD + CHUNKS + b"\r\n2d\r\n" + SMUGGLED + b"\r\n" + END,
    "chunks, in capitals": HEAD
    + b"TRANSFER-ENCODING: CHUNKED\r\n"
    + b"\r\n2D\r\n"
    + SMUGGLED
    + b"\r\n"
    + END,
    "the same length twice": HEAD + LENGTH + LENGTH + b"\r\n" + SMUGGLED,
    "a body of GET": HEAD.replace(b"POST", b"GET") + LENGTH + b"\r\n" + SMUGGLED,
}


@pytest.mark.parametrize("request_bytes", TAKEN.values(), ids=TAKEN)
async def test_what_is_clear_comes_through_as_one_request(
    gateway: Api, system: System, request_bytes: bytes
) -> None:
    received, _ = await exchange(gateway, [request_bytes])

    assert re.findall(rb"HTTP/1\.1 (\d+) ", received) == [b"200"]
    (came,) = system.customers.received
    assert (came.target, came.body) == ("/customers", SMUGGLED)
    assert came.value("Content-Length") == str(len(SMUGGLED))
    assert came.value("Transfer-Encoding") is None
