"""An emulator that behaves as the real one does: it dies of two invocations at once.

What was seen of the Runtime Interface Emulator: a second invocation while one runs crashes it, both
callers are cut off, and it refuses connections until its supervisor has started it again. It does
not notice that a caller has gone. An exception of the function comes as 200 with ``errorType``,
its timeout as 200 with a sentence, its exit as 502.
"""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from tests.integration.gateway_peers import Conversation, Peer

RESTART_SECONDS = 0.05

Event = dict[str, Any]
Act = Callable[[Conversation], Awaitable[None]]


class FakeEmulator(Peer):
    """Answers each event by a proxy response that repeats the event, unless a plan says other."""

    def __init__(self, *, is_supervised: bool = True) -> None:
        super().__init__()
        self.is_supervised = is_supervised
        self.events: list[Event] = []
        self.deaths = 0
        self.answered = 0
        self.running = 0
        self.seconds = 0.0
        self._plans: deque[Act] = deque()
        self._restarts: set[asyncio.Task[None]] = set()

    def plan(self, *acts: Act) -> None:
        """Say what the next invocations do."""
        self._plans.extend(acts)

    def forget_plans(self) -> None:
        """Act as if nothing was planned."""
        self._plans.clear()

    async def act(self, conversation: Conversation) -> None:
        """Invoke the function, or die."""
        self.events.append(json.loads(conversation.request.body))
        if self.running:
            self.die()
            return
        self.running += 1
        try:
            if self._plans:
                await self._plans.popleft()(conversation)
            else:
                await asyncio.sleep(self.seconds)
                await say(conversation, created(self.events[-1]))
            self.answered += 1
        finally:
            self.running = 0

    def die(self) -> None:
        """Crash; a supervisor starts it again."""
        self.deaths += 1
        restart = asyncio.create_task(self._restart())
        self._restarts.add(restart)
        restart.add_done_callback(self._restarts.discard)

    async def _restart(self) -> None:
        await self.stop_for_now()
        await asyncio.sleep(RESTART_SECONDS)
        if self.is_supervised:
            await self.start()

    async def stop_for_now(self) -> None:
        """Stop, as if it had not been started yet."""
        await super().stop()

    async def stop(self) -> None:
        """Stop for good."""
        self.is_supervised = False
        await asyncio.gather(*self._restarts)
        await super().stop()


def created(event: Event) -> dict[str, Any]:
    """Return a proxy response with the order, whose data repeat the event."""
    correlation_id = event["headers"]["x-correlation-id"]
    body = {"success": True, "correlationId": correlation_id, "data": {"event": event}}
    return {
        "statusCode": 201,
        "headers": {"content-type": "application/json", "X-Correlation-Id": correlation_id},
        "body": json.dumps(body),
    }


async def say(conversation: Conversation, answer: Any) -> None:
    """Answer an invocation."""
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    await conversation.answer(200, body, {"Content-Type": "text/plain; charset=utf-8"})


def says(answer: Any) -> Act:
    """Return a function with this answer."""

    async def act(conversation: Conversation) -> None:
        await say(conversation, answer)

    return act


def waits_for(event: asyncio.Event) -> Act:
    """Return a function that is done when a test says so."""

    async def act(conversation: Conversation) -> None:
        await event.wait()
        await say(conversation, created(json.loads(conversation.request.body)))

    return act


async def exits(conversation: Conversation) -> None:
    """Act as a function whose process ends."""
    body = b'{"errorType":"Runtime.ExitError","errorMessage":"exit status 3"}'
    await conversation.answer(502, body)
