"""A wire between two parties, on which a test meets every message that the asking one sends."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

_PACKET_HEADER_BYTES = 4
_PIECE_BYTES = 65536
_LEAVE_SECONDS = 0.5
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Message:
    """What came from the client and has not been delivered yet."""

    data: bytes
    client_port: int
    to_client: asyncio.StreamWriter
    from_server: asyncio.StreamReader
    to_server: asyncio.StreamWriter

    async def deliver(self) -> None:
        """Let the server have it."""
        self.to_server.write(self.data)
        await self.to_server.drain()

    async def reply(self) -> bytes:
        """Wait for the first piece of what the server says to it; empty if it hangs up."""
        return await self.from_server.read(_PIECE_BYTES)

    async def say(self, data: bytes) -> None:
        """Let the client have this."""
        self.to_client.write(data)
        await self.to_client.drain()

    async def hang_up_on_client(self) -> None:
        """End the client's connection."""
        await hang_up(self.to_client)

    def reset_client(self) -> None:
        """End the client's connection as a crash does: what was not read yet is gone."""
        ours = self.to_client.get_extra_info("socket")
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.to_client.transport.abort()


Framing = Callable[[asyncio.StreamReader], Awaitable[bytes]]
"""Reads one message of a protocol."""

Fault = Callable[[Message], Awaitable[bool]]
"""What becomes of a message; returns whether the connection goes on."""


async def mysql_packet(reader: asyncio.StreamReader) -> bytes:
    """Read one packet of the MySQL protocol."""
    header = await reader.readexactly(_PACKET_HEADER_BYTES)
    return header + await reader.readexactly(int.from_bytes(header[:3], "little"))


async def http_request(reader: asyncio.StreamReader) -> bytes:
    """Read one HTTP request whose body, if it has one, has a length."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return head + await reader.readexactly(int(value))
    return head


def _no_fault(_message: bytes) -> Fault | None:
    return None


@dataclass(slots=True)
class Wire:
    """Passes everything on, but for the messages for which ``choose`` returns a fault."""

    host: str
    port: int
    framing: Framing
    choose: Callable[[bytes], Fault | None] = _no_fault
    is_away: bool = False
    own_port: int = 0
    other_ports: Sequence[int] = ()
    """Ports that are as good: connections go to one after the other, past those that refuse."""
    _turn: int = 0
    _server: asyncio.Server | None = None
    _connections: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    async def open(self) -> None:
        """Listen, on ``own_port`` or else on a free one."""
        # A long line: a burst of connections is the server's to refuse, not the wire's.
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", self.own_port, backlog=1024
        )
        self.own_port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Cut all connections, and listen no more: new ones are refused."""
        assert self._server is not None
        self._server.close()
        self.cut()
        if self._connections:
            await asyncio.wait(self._connections, timeout=_LEAVE_SECONDS)
        for task in self._connections:  # in the middle of a fault that lasts
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections)
        await self._server.wait_closed()
        self._server = None

    def unset(self) -> None:
        """Pass everything on from now on."""
        self.choose = _no_fault

    def cut(self) -> None:
        """Cut all connections."""
        for to_client in self._connections.values():
            to_client.close()

    def go_away(self) -> None:
        """Cut all connections, and at once every new one until ``is_away`` is false again."""
        self.is_away = True
        self.cut()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        task.add_done_callback(self._connections.pop)
        try:
            if not self.is_away:
                await self._join(reader, writer)
        finally:
            await hang_up(writer)

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to the next server that takes a connection.

        Raises:
            OSError: none does.
        """
        ports = [self.port, *self.other_ports]
        self._turn += 1
        for number in range(self._turn, self._turn + len(ports) - 1):
            with suppress(OSError):
                return await asyncio.open_connection(self.host, ports[number % len(ports)])
        return await asyncio.open_connection(self.host, ports[(self._turn - 1) % len(ports)])

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            from_server, to_server = await self._reach()
        except OSError:
            return
        replies = asyncio.create_task(_pass_on(from_server, writer))
        client_port = writer.get_extra_info("peername")[1]
        try:
            while not self.is_away:
                data = await self.framing(reader)
                message = Message(data, client_port, writer, from_server, to_server)
                fault = self.choose(data)
                if fault is None:
                    await message.deliver()
                    continue
                replies.cancel()
                await asyncio.gather(replies, return_exceptions=True)
                if not await fault(message):
                    return
                replies = asyncio.create_task(_pass_on(from_server, writer))
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass
        finally:
            replies.cancel()
            await asyncio.gather(replies, return_exceptions=True)
            await hang_up(to_server)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_PIECE_BYTES):
            writer.write(data)
            await writer.drain()
    writer.close()


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """End a connection, whatever its state."""
    writer.close()
    with suppress(OSError):  # a timeout too
        async with asyncio.timeout(_LEAVE_SECONDS):
            await writer.wait_closed()
    writer.transport.abort()
