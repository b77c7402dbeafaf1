"""The wire to the database once it is logged in: statements went out, their answers come in.

The driver's stream wakes its reader for a part of an answer and is told of a time limit by a task
that is cancelled. Here whoever waits is woken once, when all has come, has failed or is late.
"""

import asyncio

from service_kit.database_answers import Answers, Result


class Wire(asyncio.Protocol):
    """Takes a connection's transport over from the driver's stream."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._answers: Answers | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._trouble: Exception | None = None
        self._clock: asyncio.TimerHandle | None = None
        transport.set_protocol(self)

    @property
    def is_usable(self) -> bool:
        """Tell whether the server has not hung up, without asking it."""
        return self._trouble is None and not self._transport.is_closing()

    def start_clock(self, seconds: float) -> None:
        """Let whoever waits for answers, from now on, fail with `TimeoutError` after so long."""
        self._clock = self._loop.call_later(seconds, self._expire)

    def stop_clock(self) -> None:
        """Let whoever waits wait on."""
        if self._clock is not None:
            self._clock.cancel()

    async def answers(self, count: int) -> list[Result]:
        """Wait for the answers to so many statements that were sent together.

        Raises:
            MySQLError: one failed, and those after it were not run.
            ConnectionError: the server hung up, or says what it was not asked for.
            TimeoutError: the clock ran out.
        """
        if self._trouble is not None:
            raise self._trouble
        self._answers = answers = Answers(count)
        self._waiter = self._loop.create_future()
        await self._waiter
        return answers.results()

    def data_received(self, data: bytes) -> None:
        """Take a part of the answers."""
        if self._answers is None:
            # A server that shuts down says so unasked.
            self._fail(ConnectionResetError("the server spoke unasked"))
            return
        try:
            self._answers.feed(data)
        except ConnectionError as error:
            self._fail(error)
            return
        if self._answers.are_complete:
            self._answers = None
            self._wake(None)

    def eof_received(self) -> None:
        """Know that the server hung up; the transport closes itself."""
        self._fail(ConnectionResetError("the server hung up"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Know that the connection is gone."""
        self._fail(exc or ConnectionResetError("the connection was closed"))

    def _expire(self) -> None:
        self._fail(TimeoutError("the database takes too long"))

    def _fail(self, trouble: Exception) -> None:
        self._trouble = self._trouble or trouble
        self._wake(self._trouble)

    def _wake(self, trouble: Exception | None) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is None or waiter.done():
            return
        if trouble is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(trouble)
