"""The server's end of a connection, without HTTP."""

import asyncio
import functools
import socket
from collections.abc import Iterator

import pytest
from tornado.ioloop import IOLoop

from service_kit.streams import MOST_AHEAD_BYTES, Stream
from tests.waiting import until

PIECE = b"x" * 65536


@pytest.fixture
def ends(io_loop: IOLoop) -> Iterator[tuple[Stream, socket.socket]]:
    """Return a stream that is told when it is closed, and its peer."""
    own, peer = socket.socketpair()
    peer.setblocking(False)

    async def opened() -> Stream:
        return Stream(own)

    stream = io_loop.run_sync(opened)
    stream.set_close_callback(lambda: None)
    yield stream, peer
    peer.close()
    stream.close()


def send_all_that_goes(peer: socket.socket) -> int:
    sent = 0
    try:
        while True:
            sent += peer.send(PIECE)
    except BlockingIOError:
        return sent


def has_come(stream: Stream, length: int) -> bool:
    return len(stream._read_buffer) == length


async def test_what_comes_before_it_is_asked_for_is_there_when_it_is(
    ends: tuple[Stream, socket.socket],
) -> None:
    stream, peer = ends

    for length in (4, 8, 12):
        peer.send(b"one\n")
        await until(functools.partial(has_come, stream, length), "it has come")

    assert [await stream.read_until(b"\n") for _ in range(3)] == [b"one\n"] * 3


async def test_a_client_that_sends_far_ahead_is_not_listened_to_until_it_is_read(
    ends: tuple[Stream, socket.socket],
) -> None:
    stream, peer = ends
    sent = 0

    for _ in range(1000):
        sent += send_all_that_goes(peer)
        await asyncio.sleep(0)

    assert len(stream._read_buffer) <= MOST_AHEAD_BYTES + stream.read_chunk_size
    assert await stream.read_bytes(sent) == b"x" * sent


async def test_a_client_that_hangs_up_is_noticed_although_something_lies_unread(
    ends: tuple[Stream, socket.socket],
) -> None:
    stream, peer = ends
    peer.send(b"one\n")
    await until(functools.partial(has_come, stream, 4), "it has come")

    peer.close()

    await until(stream.closed, "the stream is closed")
