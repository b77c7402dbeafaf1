"""The pool of emulators: one invocation at a time on each, and a line of those who wait.

An emulator dies of a second invocation while it has one, even if nobody waits for the first any
more. So a place is busy until its emulator has answered, or its connection is broken; the
invocation is a task of its own, which its client can leave.

Two can still meet: a gateway that starts anew does not know what its predecessor left running. The
emulator then dies, its supervisor starts it again, and the call is repeated as after any loss of
an emulator. A repeat is safe because each call has an idempotency key: there is one order.
"""

import asyncio
import contextvars
import time
from collections import deque
from collections.abc import Sequence

import structlog

from gateway.emulator import Emulator, EmulatorLost
from gateway.patience import EmulatorPatience
from service_kit.metrics import Metrics
from service_kit.problems import Busy, UpstreamTimeout, UpstreamUnavailable

log = structlog.get_logger()


class EmulatorPool:
    """Places for invocations; a place is out until its emulator listens."""

    def __init__(
        self,
        emulators: Sequence[Emulator],
        function_seconds: float,
        patience: EmulatorPatience,
        metrics: Metrics,
    ) -> None:
        self._answer_seconds = function_seconds + patience.margin
        self._patience = patience
        self._idle: deque[Emulator] = deque()
        self._busy: dict[Emulator, float] = {}
        self._line: deque[asyncio.Future[Emulator]] = deque()
        self._tasks: set[asyncio.Task[object]] = set()
        self._alive_gauge = metrics.gauge("emulators_alive", "Emulators that are not out.")
        self._busy_gauge = metrics.gauge("emulators_busy", "Emulators with an invocation.")
        self._line_gauge = metrics.gauge("invocations_waiting", "Calls that wait for an emulator.")
        self._repeats = metrics.counter(
            "invocations_repeated_total", "Invocations that were sent again after a loss."
        )
        for emulator in emulators:
            self._keep(asyncio.create_task(self._take_in(emulator, first_pause=0)))

    @property
    def alive(self) -> int:
        """How many emulators are not out, nor silent long after the function's own time limit."""
        silent_since = time.monotonic() - self._answer_seconds
        return len(self._idle) + sum(since > silent_since for since in self._busy.values())

    @property
    def waiting(self) -> int:
        """How many calls wait for an emulator."""
        return len(self._line)

    async def invoke(self, event: bytes) -> bytes:
        """Return the answer of an emulator to an event that may be repeated.

        Raises:
            Busy: the line is full, or no emulator was free in time.
            UpstreamTimeout: the function was not done in time; it runs on.
            UpstreamUnavailable: emulators were lost, one after the other.
        """
        end = time.monotonic() + self._patience.total
        emulator = await self._queue_up()
        times_sent = 0
        while True:
            try:
                return await self._answer(emulator, event, end)
            except EmulatorLost as lost:
                log.warning("emulator lost", endpoint=emulator.endpoint, reason=lost.reason)
                times_sent += lost.was_sent
                if times_sent == self._patience.most_attempts:
                    raise UpstreamUnavailable("The orchestrator is unavailable.") from lost
                self._repeats.inc(lost.was_sent)
            emulator = await self._next_in_line(end)

    async def check(self) -> None:
        """Look whether those that have nothing to do still listen.

        Raises:
            Busy: no emulator is alive.
        """
        idle = list(self._idle)
        listening = await asyncio.gather(*(emulator.is_listening() for emulator in idle))
        for emulator, listens in zip(idle, listening, strict=True):
            # One that got an invocation meanwhile finds out by itself.
            if not listens and emulator in self._idle:
                self._idle.remove(emulator)
                self._take_out(emulator)
        if not self.alive:
            raise Busy("No emulator of the orchestrator is alive.")

    async def close(self) -> None:
        """Give up what is running, and tell those who wait to come again."""
        while self._line:
            turn = self._line.popleft()
            if not turn.done():
                turn.set_exception(Busy("The gateway stops; try again."))
        self._count()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # The line.

    async def _queue_up(self) -> Emulator:
        if not self._idle and len(self._line) >= self._patience.most_waiting:
            raise Busy("Too many calls wait already; try again.")
        turn: asyncio.Future[Emulator] = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        try:
            return await self._turn(turn, self._patience.wait)
        except TimeoutError:
            raise Busy("No emulator became free in time; try again.") from None

    async def _next_in_line(self, end: float) -> Emulator:
        """Wait in front of all others: this call has had its turn."""
        turn: asyncio.Future[Emulator] = asyncio.get_running_loop().create_future()
        self._line.appendleft(turn)
        try:
            return await self._turn(turn, min(self._patience.wait, end - time.monotonic()))
        except TimeoutError:
            raise UpstreamUnavailable("The orchestrator is unavailable.") from None

    async def _turn(self, turn: asyncio.Future[Emulator], seconds: float) -> Emulator:
        self._hand_out()
        try:
            async with asyncio.timeout(seconds):
                return await turn
        except BaseException:
            # The turn may have come at the very moment of giving up.
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._give_back(turn.result())
            elif turn in self._line:
                self._line.remove(turn)
                self._count()
            raise

    def _hand_out(self) -> None:
        """Give idle emulators to those in front."""
        while self._idle and self._line:
            turn = self._line.popleft()
            if not turn.done():
                emulator = self._idle.popleft()
                self._busy[emulator] = time.monotonic()
                turn.set_result(emulator)
        self._count()

    def _give_back(self, emulator: Emulator) -> None:
        self._busy.pop(emulator, None)
        self._idle.append(emulator)
        self._hand_out()

    # The invocations.

    async def _answer(self, emulator: Emulator, event: bytes, end: float) -> bytes:
        invocation = asyncio.create_task(self._invoke(emulator, event))
        self._keep(invocation)
        seconds = min(self._answer_seconds, end - time.monotonic())
        # Unlike a timeout around it, this leaves the task alone, whatever happens to us.
        done, _ = await asyncio.wait([invocation], timeout=seconds)
        if not done:
            log.warning("invocation not answered in time", endpoint=emulator.endpoint)
            raise UpstreamTimeout("The orchestrator did not answer in time.")
        if invocation.cancelled():
            raise UpstreamUnavailable("The gateway stops; what the call came to is not known.")
        return invocation.result()

    async def _invoke(self, emulator: Emulator, event: bytes) -> bytes:
        try:
            answer = await emulator.invoke(event)
        except UpstreamUnavailable:
            self._give_back(emulator)
            raise
        except Exception:
            self._busy.pop(emulator, None)
            self._take_out(emulator)
            raise
        self._give_back(emulator)
        return answer

    # In and out.

    def _take_out(self, emulator: Emulator) -> None:
        self._count()
        pause = self._patience.probes.base_seconds
        # The probes belong to no request, so they are not logged under the id of one.
        self._keep(
            asyncio.create_task(
                self._take_in(emulator, first_pause=pause), context=contextvars.Context()
            )
        )

    async def _take_in(self, emulator: Emulator, *, first_pause: float) -> None:
        """Wait until an emulator listens, and let it be used."""
        await asyncio.sleep(first_pause)
        attempt = 0
        while not await emulator.is_listening():
            attempt += 1
            await asyncio.sleep(self._patience.probes.delay(attempt))
        log.info("emulator taken in", endpoint=emulator.endpoint)
        self._give_back(emulator)

    def _keep(self, task: asyncio.Task[object]) -> None:
        """Keep a task from being forgotten, and its failure from being reported as such."""
        self._tasks.add(task)
        task.add_done_callback(self._let_go)

    def _let_go(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()

    def _count(self) -> None:
        self._alive_gauge.set(self.alive)
        self._busy_gauge.set(len(self._busy))
        self._line_gauge.set(self.waiting)
