"""A wire between a service and its database, which a test can cut at a statement of its choice."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum

_HEADER_BYTES = 4
_QUERY = b"\x03"  # COM_QUERY of the MySQL protocol


class Cut(Enum):
    """When the wire is cut, as seen from a statement."""

    BEFORE = "the database never sees it"
    AFTER = "the database has done it, its reply is lost"
    AFTER_AND_AWAY = "so it is, and no new connection is had"
    LATE = "the service is cut off, and the database sees the statement later"
    MUTE = "the database has done it, and the wire stays silent"


@dataclass(slots=True)
class CuttingProxy:
    """Passes everything on, but for the next statement that begins as ``statement``."""

    host: str
    port: int
    statement: bytes = b"COMMIT"
    cut: Cut | None = None
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    let_through: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    is_away: bool = False
    own_port: int = 0
    _server: asyncio.Server | None = None
    _wires: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    async def open(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.own_port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Cut all wires, and listen no more."""
        assert self._server is not None
        self._server.close()
        self.go_away()
        self.let_through.set()
        while self._wires:
            await asyncio.wait(self._wires)
        await self._server.wait_closed()

    def go_away(self) -> None:
        """Cut all wires, and refuse new ones until ``is_away`` is false again."""
        self.is_away = True
        for to_service in self._wires.values():
            to_service.close()

    def at(self, statement: str, cut: Cut) -> None:
        """Cut the wire at the next statement that begins like this."""
        self.statement, self.cut = statement.encode(), cut
        for event in (self.reached, self.let_through, self.done):
            event.clear()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._wires[task] = writer
        task.add_done_callback(self._wires.pop)
        if not self.is_away:
            await self._join(reader, writer)
        await _hang_up(writer)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_database, to_database = await asyncio.open_connection(self.host, self.port)
        replies = asyncio.create_task(_pass_on(from_database, writer))
        try:
            while not self.is_away:
                packet = await _packet(reader)
                if self.cut is not None and packet[_HEADER_BYTES:].startswith(
                    _QUERY + self.statement
                ):
                    await self._cut_at(packet, from_database, to_database, writer, replies)
                    return
                to_database.write(packet)
                await to_database.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            replies.cancel()
            await asyncio.gather(replies, return_exceptions=True)
            await _hang_up(to_database)

    async def _cut_at(
        self,
        packet: bytes,
        from_database: asyncio.StreamReader,
        to_database: asyncio.StreamWriter,
        to_service: asyncio.StreamWriter,
        replies: "asyncio.Task[None]",
    ) -> None:
        cut, self.cut = self.cut, None
        replies.cancel()
        await asyncio.gather(replies, return_exceptions=True)
        self.reached.set()
        if cut is Cut.BEFORE:
            return
        if cut is Cut.LATE:
            await _hang_up(to_service)
            await self.let_through.wait()
        to_database.write(packet)
        await from_database.read(1)
        self.done.set()
        if cut is Cut.AFTER_AND_AWAY:
            self.go_away()
        if cut is Cut.MUTE:
            await self.let_through.wait()


async def _packet(reader: asyncio.StreamReader) -> bytes:
    header = await reader.readexactly(_HEADER_BYTES)
    return header + await reader.readexactly(int.from_bytes(header[:3], "little"))


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
