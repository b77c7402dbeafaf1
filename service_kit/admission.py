"""How many requests a process works on at a time; others wait in a line, as long as there is room.

Were all begun that come, each would get a little further while the Customers API and the database
are asked for all of them, and when none is in time any more most of the work is thrown away.
"""

import asyncio
from collections import deque

from service_kit.problems import Busy

MOST_AT_WORK = 64
"""More than a process has database connections, so that none of those is ever idle for it."""

MOST_WAITING = 600
"""With one worker of two that is room for a thousand clients, who all ask at once."""


class Admission:
    """The door of one process."""

    def __init__(self, most_at_work: int = MOST_AT_WORK, most_waiting: int = MOST_WAITING) -> None:
        self._most_at_work = most_at_work
        self._most_waiting = most_waiting
        self._at_work = 0
        self._line: deque[asyncio.Future[None]] = deque()

    def check_room(self) -> None:
        """Refuse whoever finds no place in the line.

        Raises:
            Busy: there is none.
        """
        if len(self._line) >= self._most_waiting:
            raise Busy("Too many requests wait already; try again.")

    async def enter(self) -> None:
        """Wait for a place at work; who has one must `leave`."""
        if self._at_work < self._most_at_work and not self._line:
            self._at_work += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        """Hand the place on to the first in the line."""
        while self._line:
            turn = self._line.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._at_work -= 1
