"""Clients of one connection each, counted one by one: for what wrk does not tell.

wrk sends as fast as it is answered, and mixes all connections and statuses in its figures. Here
each connection has its own account, and requests can be sent at a rate that nobody keeps up with.

python -m benchmark.connections < plan.json
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

import uvloop

_TICK_SECONDS = 0.005
_PATIENCE_SECONDS = 15.0
_BROKEN = 0
"""The status of a request that was not answered."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is sent: GET ``path`` or, with ``orders_of``, orders of one of so many products.

    ``connections`` send one request after the other for so many seconds; or, with a ``rate``,
    so many requests a second are sent, each at its time, over as many connections as it takes up to
    that number.
    """

    url: str
    token: str = field(repr=False)
    seconds: float
    connections: int
    path: str = ""
    orders_of: tuple[int, int] | None = None
    customers: tuple[int, int] = (1, 1)
    rate: float | None = None


class BrokenError(Exception):
    """The server closed a connection, or did not answer in time."""


class Connection:
    """One keep-alive connection; ``answered`` counts."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.answered = 0

    @classmethod
    async def open(cls, url: str) -> "Connection":
        """Connect."""
        parts = urlsplit(url)
        return cls(*await asyncio.open_connection(parts.hostname, parts.port))

    async def ask(self, request: bytes) -> int:
        """Send a request and return the status of its answer, when all of it is there.

        Raises:
            BrokenError: it did not come.
        """
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                self._writer.write(request)
                head = await self._reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
                await self._reader.readexactly(int(length or 0))
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            raise BrokenError from error
        self.answered += 1
        return int(head[9:12])

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


@dataclass(slots=True)
class Tally:
    """What came of a plan: seconds of each answer, by its status; answers of each connection.

    ``in_time`` are the answers, by their status, that came before the plan's seconds were over.
    """

    began: float = field(default_factory=time.monotonic)
    seconds: float = 0
    in_time: dict[int, int] = field(default_factory=dict)
    latencies: dict[int, list[float]] = field(default_factory=dict)
    answers_of_each: list[int] = field(default_factory=list)
    sent: int = 0
    unsent: int = 0

    def count(self, status: int, seconds: float) -> None:
        """Note an answer."""
        self.latencies.setdefault(status, []).append(seconds)
        if time.monotonic() < self.began + self.seconds:
            self.in_time[status] = self.in_time.get(status, 0) + 1


async def run(plan: Plan) -> Tally:
    """Carry a plan out."""
    tally = Tally(seconds=plan.seconds)
    await (_paced(plan, tally, plan.rate) if plan.rate else _in_turn(plan, tally))
    return tally


async def _in_turn(plan: Plan, tally: Tally) -> None:
    opened = [await Connection.open(plan.url) for _ in range(plan.connections)]
    tally.began = time.monotonic()
    end = tally.began + plan.seconds

    async def client(connection: Connection) -> None:
        while (sent := time.monotonic()) < end:
            try:
                tally.count(await connection.ask(_request(plan)), time.monotonic() - sent)
            except BrokenError:
                tally.count(_BROKEN, time.monotonic() - sent)
                return

    await asyncio.gather(*map(client, opened))
    tally.answers_of_each = [connection.answered for connection in opened]


async def _paced(plan: Plan, tally: Tally, rate: float) -> None:
    idle: list[Connection] = []
    under_way: set[asyncio.Task[None]] = set()

    async def send(due: float) -> None:
        try:
            connection = idle.pop() if idle else await Connection.open(plan.url)
            tally.count(await connection.ask(_request(plan)), time.monotonic() - due)
            idle.append(connection)
        except (BrokenError, OSError):
            tally.count(_BROKEN, time.monotonic() - due)

    while (now := time.monotonic() - tally.began) < plan.seconds:
        for _ in range(int(now * rate) - tally.sent - tally.unsent):
            if len(under_way) >= plan.connections:
                tally.unsent += 1
                continue
            task = asyncio.create_task(send(time.monotonic()))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            tally.sent += 1
        await asyncio.sleep(_TICK_SECONDS)
    await asyncio.gather(*under_way)


def _request(plan: Plan) -> bytes:
    head = f"Host: x\r\nAuthorization: Bearer {plan.token}\r\n"
    if plan.orders_of is None:
        return f"GET {plan.path} HTTP/1.1\r\n{head}\r\n".encode()
    item = {"product_id": random.randint(*plan.orders_of), "qty": 1}
    body = json.dumps({"customer_id": random.randint(*plan.customers), "items": [item]})
    return (
        f"POST /orders HTTP/1.1\r\n{head}Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def plan_of(value: Mapping[str, Any]) -> Plan:
    """Return a plan from its JSON value."""
    return Plan(**value)


if __name__ == "__main__":
    print(json.dumps(asdict(uvloop.run(run(plan_of(json.load(sys.stdin)))))))
