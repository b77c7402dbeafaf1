"""A wire between a service and its database, which a test can cut at a statement of its choice."""

import asyncio
from dataclasses import dataclass, field
from enum import Enum

from tests.wires import Fault, Message, Wire, mysql_packet

_QUERY = b"\x03"  # COM_QUERY of the MySQL protocol
_HEADER_BYTES = 4


class Cut(Enum):
    """When the wire is cut, as seen from a statement."""

    BEFORE = "the database never sees it"
    AFTER = "the database has done it, its reply is lost"
    AFTER_AND_AWAY = "so it is, and no new connection is had"
    LATE = "the service is cut off, and the database sees the statement later"
    MUTE = "the database has done it, and the wire stays silent"


def is_statement(packet: bytes, beginning: bytes) -> bool:
    """Tell whether a packet has a statement that begins like this; several may be sent together."""
    query = packet[_HEADER_BYTES:]
    return query.startswith(_QUERY + beginning) or (
        query.startswith(_QUERY) and b"; " + beginning in query
    )


@dataclass(slots=True)
class CuttingProxy:
    """Passes everything on, but for the next statement that begins as it is told."""

    host: str
    port: int
    statement: bytes = b"COMMIT"
    cut: Cut | None = None
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    let_through: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    wire: Wire = field(init=False)

    def __post_init__(self) -> None:
        self.wire = Wire(self.host, self.port, mysql_packet, self._choose)

    @property
    def own_port(self) -> int:
        """Where it listens."""
        return self.wire.own_port

    async def open(self) -> None:
        """Listen on a free port."""
        await self.wire.open()

    async def close(self) -> None:
        """Cut all wires, and listen no more."""
        self.let_through.set()
        await self.wire.close()

    def come_back(self) -> None:
        """Take new connections again."""
        self.wire.is_away = False

    def at(self, statement: str, cut: Cut) -> None:
        """Cut the wire at the next statement that begins like this."""
        self.statement, self.cut = statement.encode(), cut
        for event in (self.reached, self.let_through, self.done):
            event.clear()

    def _choose(self, packet: bytes) -> Fault | None:
        if self.cut is None or not is_statement(packet, self.statement):
            return None
        return self._cut_at

    async def _cut_at(self, message: Message) -> bool:
        cut, self.cut = self.cut, None
        self.reached.set()
        if cut is Cut.BEFORE:
            return False
        if cut is Cut.LATE:
            await message.hang_up_on_client()
            await self.let_through.wait()
        await message.deliver()
        await message.reply()
        self.done.set()
        if cut is Cut.AFTER_AND_AWAY:
            self.wire.go_away()
        if cut is Cut.MUTE:
            await self.let_through.wait()
        return False
