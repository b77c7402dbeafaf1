"""A request that is stopped before one of its statements until it may go on."""

import asyncio
from dataclasses import dataclass, field

from tests.integration.cutting_proxy import is_statement
from tests.wires import Fault, Message


@dataclass(slots=True)
class StopsAt:
    """Stops one statement until it may go on."""

    number: int = -1
    beginning: bytes = b""
    seen: int = 0
    is_stopped: asyncio.Event = field(default_factory=asyncio.Event)
    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)

    def at(self, number: int, beginning: bytes = b"") -> None:
        """Stop from now on the statement of this number, counted from 0, of those that begin so."""
        self.number, self.beginning, self.seen = number, beginning, 0
        self.is_stopped.clear()
        self.may_go_on.clear()

    def choose(self, packet: bytes) -> Fault | None:
        """Say what becomes of a packet on its way to the database."""
        if not is_statement(packet, self.beginning) or is_statement(packet, b"SET "):
            return None
        self.seen += 1
        return self._stop if self.seen - 1 == self.number else None

    async def _stop(self, message: Message) -> bool:
        self.is_stopped.set()
        await self.may_go_on.wait()
        await message.deliver()
        return True
