"""What stands behind the gateway in its tests: peers that do exactly what a test says.

They speak HTTP by hand on a free loopback port, so that they can break it: cut, be silent, be slow.
"""

import asyncio
import json
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

Fields = list[tuple[str, str]]

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Received:
    """A request as it came over the wire."""

    method: str
    target: str
    fields: Fields
    body: bytes

    def values(self, name: str) -> list[str]:
        """Return all values of a header field."""
        return [value for field, value in self.fields if field.lower() == name.lower()]

    def value(self, name: str) -> str | None:
        """Return the value of a field that comes once, None if it does not come."""
        values = self.values(name)
        assert len(values) <= 1, (name, values)
        return values[0] if values else None


@dataclass(frozen=True)
class Conversation:
    """One request, and the means to answer it."""

    request: Received
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def answer(
        self,
        status: int = 200,
        body: bytes = b"",
        fields: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    ) -> None:
        """Answer whole, with a length."""
        given = list(fields.items() if isinstance(fields, Mapping) else fields)
        await self.begin(status, [*given, ("Content-Length", str(len(body)))])
        if self.request.method != "HEAD":
            await self.say(body)

    async def answer_json(self, value: Any, status: int = 200, **fields: str) -> None:
        """Answer with JSON; a field's name has _ for -."""
        named = {name.replace("_", "-"): text for name, text in fields.items()}
        body = json.dumps(value).encode()
        await self.answer(status, body, {"Content-Type": "application/json", **named})

    async def begin(self, status: int, fields: Iterable[tuple[str, str]]) -> None:
        """Send a status line and header fields."""
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
        lines += [f"{name}: {value}" for name, value in fields]
        await self.say("\r\n".join([*lines, "", ""]).encode("latin-1"))

    async def say(self, data: bytes) -> None:
        """Send bytes."""
        self.writer.write(data)
        await self.writer.drain()

    async def say_chunk(self, data: bytes) -> None:
        """Send a part of a chunked body; an empty one ends it."""
        await self.say(b"%x\r\n%b\r\n" % (len(data), data))

    def cut(self) -> None:
        """Reset the connection."""
        opened: socket.socket = self.writer.get_extra_info("socket")
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.writer.transport.abort()

    async def until_left(self) -> None:
        """Wait until the other side closes the connection."""
        try:
            while await self.reader.read(65536):
                pass
        except ConnectionError:
            return


Act = Callable[[Conversation], Awaitable[None]]


class Peer:
    """Listens; what it does with a request is for its subclass to say."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen; on the same port as before, if there was one."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse connections, and cut those that are there."""
        if self._server is not None:
            self._server.close()
        self.cut_all()
        tasks = self._tasks - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def cut_all(self) -> None:
        """Cut every connection."""
        for writer in self._open:
            writer.transport.abort()

    async def act(self, conversation: Conversation) -> None:
        """Do something about a request."""
        raise NotImplementedError

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._open.add(writer)
        try:
            while (request := await _request(reader)) is not None:
                self.received.append(request)
                await self.act(Conversation(request, reader, writer))
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(writer)
            self._tasks.discard(task)
            writer.close()


class Upstream(Peer):
    """A service: acts as planned, then answers 200 with an empty JSON object."""

    def __init__(self) -> None:
        super().__init__()
        self._plans: deque[Act] = deque()

    @property
    def last(self) -> Received:
        """The request that came last."""
        return self.received[-1]

    def plan(self, *acts: Act) -> None:
        """Say what the next requests meet."""
        self._plans.extend(acts)

    async def act(self, conversation: Conversation) -> None:
        """Do what is planned."""
        if self._plans:
            await self._plans.popleft()(conversation)
        else:
            await conversation.answer_json({})


def answers(
    status: int = 200, body: bytes = b"", fields: Mapping[str, str] | Fields | None = None
) -> Act:
    """Return an act that answers whole."""

    async def act(conversation: Conversation) -> None:
        await conversation.answer(status, body, fields or {})

    return act


async def cuts(conversation: Conversation) -> None:
    """Act as a service that dies of a request."""
    conversation.cut()


async def stays_silent(conversation: Conversation) -> None:
    """Act as a service that hangs."""
    await conversation.until_left()


async def _request(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    method, target, _ = first.split(" ")
    fields = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    length = next((int(v) for name, v in fields if name.lower() == "content-length"), 0)
    return Received(method, target, fields, await reader.readexactly(length))
