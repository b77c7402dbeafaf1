"""How the tests start a gateway, and how they call it where an HTTP client would be too polite."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import aiohttp
import pytest
from tornado.ioloop import IOLoop

import gateway.app
import gateway.settings
from gateway.patience import PATIENCE, Patience
from service_kit.application import ServiceApplication
from service_kit.retrying import Backoff
from service_kit.serving import Closer
from tests.apis import JWT_VARIABLES, SERVICE_TOKEN, Api, token
from tests.integration.gateway_emulators import FakeEmulator
from tests.integration.gateway_peers import Upstream
from tests.integration.listening import listen

ORCHESTRATION = "/orchestrator/create-and-confirm-order"

QUICK = Patience(
    services=replace(PATIENCE.services, backoff=Backoff(0.001, 0.005, attempts=3)),
    emulators=replace(PATIENCE.emulators, probes=Backoff(0.02, 0.05, attempts=0)),
    document_kept=60.0,
    document_failure_kept=0,
    health_kept=0,
)
"""As patient as in production, but without long waits between attempts, and with fresh news."""


def impatient_with_services(**seconds: float) -> Patience:
    """Return a patience with less for the services, or for the client."""
    services = replace(QUICK.services, **seconds)  # type: ignore[arg-type]  # most are
    return replace(QUICK, services=services)


def impatient_with_emulators(**limits: float) -> Patience:
    """Return a patience with less for the emulators, and for those who wait for one."""
    emulators = replace(QUICK.emulators, **limits)  # type: ignore[arg-type]  # most are
    return replace(QUICK, emulators=emulators)


@dataclass
class System:
    """Both services and the emulators, all of them acting, and the gateways in front."""

    session: aiohttp.ClientSession
    customers: Upstream = field(default_factory=Upstream)
    orders: Upstream = field(default_factory=Upstream)
    emulators: list[FakeEmulator] = field(default_factory=list)
    applications: list[ServiceApplication] = field(default_factory=list)
    closers: list[Closer] = field(default_factory=list)

    @property
    def emulator(self) -> FakeEmulator:
        """The first emulator."""
        return self.emulators[0]

    @property
    def application(self) -> ServiceApplication:
        """The application of the gateway that was started last."""
        return self.applications[-1]

    async def gateway(
        self, patience: Patience = QUICK, *, function_seconds: float = 20, **variables: str
    ) -> Api:
        """Start a gateway, and return it as an operator calls it."""
        settings = gateway.settings.load(
            {
                **JWT_VARIABLES,
                "SERVICE_TOKEN": SERVICE_TOKEN,
                "ACCESS_LOG": "off",
                "CUSTOMERS_API_BASE": self.customers.base_url,
                "ORDERS_API_BASE": self.orders.base_url,
                "LAMBDA_ENDPOINTS": ",".join(emulator.base_url for emulator in self.emulators),
                **variables,
            }
        )
        settings = replace(settings, lambda_timeout_seconds=function_seconds)
        application, close = await gateway.app.open_application(settings, patience)
        base_url, stop = listen(application, close)
        self.applications.append(application)
        self.closers.append(stop)
        return Api(self.session, base_url)

    async def start(self) -> None:
        """Start what stands behind the gateways."""
        for peer in (self.customers, self.orders, *self.emulators):
            await peer.start()

    async def stop(self) -> None:
        """Stop all of it."""
        for close in self.closers:
            await close()
        for peer in (self.customers, self.orders, *self.emulators):
            await peer.stop()


@contextmanager
def a_system(
    io_loop: IOLoop, session: aiohttp.ClientSession, emulators: int = 1
) -> Iterator[System]:
    """Start a system without a gateway; stop all of it at the end."""
    system = System(session, emulators=[FakeEmulator() for _ in range(emulators)])
    io_loop.run_sync(system.start)
    yield system
    io_loop.run_sync(system.stop)


def port_of(api: Api) -> int:
    """Return the port of an API."""
    return int(api.base_url.rpartition(":")[2])


async def raw(api: Api, request: bytes) -> bytes:
    """Send bytes, and return all that comes back until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(api))
    try:
        writer.write(request)
        return await reader.read()
    finally:
        writer.close()


async def raw_request(api: Api, line: str, *fields: str, body: bytes = b"") -> bytes:
    """Send a request as it is written here, and return the whole answer."""
    return await raw(api, _written(line, "Connection: close", *fields, body=body))


async def raw_head(api: Api, line: str, *fields: str, body: bytes = b"") -> bytes:
    """Send a request as it is written here, and return the head of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(api))
    try:
        writer.write(_written(line, *fields, body=body))
        head = await reader.readuntil(b"\r\n\r\n")
        is_interim = head.startswith(b"HTTP/1.1 100 ")
        return await reader.readuntil(b"\r\n\r\n") if is_interim else head
    finally:
        writer.close()


def _written(line: str, *fields: str, body: bytes) -> bytes:
    head = [line, "Host: shop.example:8080", *fields]
    if body:
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


class Client:
    """A client that does not wait for its answer, and can leave."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer

    @classmethod
    async def sends(cls, api: Api, method: str, path: str, body: bytes = b"") -> "Client":
        """Send a request as an operator."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(api))
        lines = [
            f"{method} {path} HTTP/1.1",
            "Host: shop.example",
            f"Authorization: Bearer {token()}",
            f"Content-Length: {len(body)}",
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await writer.drain()
        return cls(reader, writer)

    def leaves(self) -> None:
        """Close the connection."""
        self._writer.close()


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait for a condition.

    Fails the test when it does not come in time.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail("it did not come in time")
        await asyncio.sleep(0.002)


def metric(text: bytes, name: str) -> float:
    """Return the value of a metric without labels."""
    line = next(line for line in text.decode().splitlines() if line.startswith(f"{name} "))
    return float(line.split(" ")[1])
