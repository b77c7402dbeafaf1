"""A Customers API that says what a test tells it to."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tornado.web import Application, RequestHandler

from service_kit.jsons import encode

TRICKLE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Says:
    """An answer; a ``body`` that is a function makes it from the id of the customer asked for."""

    status: int
    body: object = None
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    def data(self, customer_id: int) -> bytes:
        """Return the bytes of the body."""
        body = self.body(customer_id) if callable(self.body) else self.body
        return body if isinstance(body, bytes) else encode(body)


def the_customer(customer_id: int) -> dict[str, int]:
    """Return the body of an answer that knows the customer."""
    return {"id": customer_id}


@dataclass(frozen=True, slots=True)
class HangsUp:
    """The connection is cut without an answer."""


@dataclass(slots=True)
class FakeCustomers:
    """Knows every customer, until told what to answer instead.

    ``plan`` is answered from now on, ``first`` once; ``trickles`` sends blanks for ever.
    """

    base_url: str = ""
    plan: Says | HangsUp | None = None
    first: Says | HangsUp | None = None
    trickles: bool = False
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    async def open(self) -> tuple[Application, Callable[[], Awaitable[None]]]:
        """Return the application, in the form of a service's own ``open_application``."""
        return Application([("(.*)", _Handler, {"fake": self})]), _nothing


class _Handler(RequestHandler):
    fake: FakeCustomers

    def initialize(self, fake: FakeCustomers) -> None:
        self.fake = fake

    async def get(self, path: str) -> None:
        self.fake.asked.append((path, self.request.headers))
        plan = self.fake.first or self.fake.plan or Says(200, the_customer)
        self.fake.first = None
        if isinstance(plan, HangsUp):
            self.detach().close()
            return
        self.set_status(plan.status)
        self.set_header("Content-Type", plan.media_type)
        for name, value in plan.headers.items():
            self.set_header(name, value)
        while self.fake.trickles:
            self.write(b" ")
            await self.flush()
            await asyncio.sleep(TRICKLE_SECONDS)
        self.finish(plan.data(int(path.rpartition("/")[2])))


async def _nothing() -> None:
    await asyncio.sleep(0)


@contextmanager
def nobody() -> Iterator[str]:
    """Return the address of a port that refuses connections, and nobody else gets meanwhile."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{reserved.getsockname()[1]}"


@contextmanager
def silence() -> Iterator[str]:
    """Return the address of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=200) as mute:
        yield f"http://127.0.0.1:{mute.getsockname()[1]}"
