"""Secret and service token are changed while everybody goes on working: nobody is turned away."""

import asyncio
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from local_system.ports import free_ports
from local_system.processes import bound_to_parent
from service_kit.serving import WORKER
from tests import database_servers
from tests.apis import JWT_VARIABLES, Api, token
from tests.builders import a_customer, a_product, lines, unique
from tests.database_servers import TestDatabase
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 15
OLD_SECRET, NEW_SECRET = (
    "the-old-secret-of-32-bytes-at-least",
    "the-new-secret-of-32-bytes-at-least",
)
OLD_TOKEN, NEW_TOKEN = "the-old-service-token", "the-new-service-token"

# What is tested is before the database: one server is enough.
pytestmark = pytest.mark.parametrize(
    "database", database_servers.available()[:1], indirect=True, scope="session"
)


@dataclass
class Fleet:
    """A service on one port, whose process is replaced by another before it stops."""

    module: str
    variables: dict[str, str]
    folder: Path
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    async def roll(self, secrets: str, tokens: str) -> None:
        """Start a process with these lists, and then stop the one before it."""
        log = self.folder / f"{self.module}-{len(self.processes)}.log"
        self._start(log, {"JWT_SECRET": secrets, "SERVICE_TOKEN": tokens})
        await until(lambda: '"event":"serving"' in log.read_text(), f"{log} serves", seconds=30)
        for before in self.processes[-2:-1]:
            before.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(before.wait, STOP_SECONDS) == 0

    def _start(self, log: Path, lists: dict[str, str]) -> None:
        # As a worker it shares its port.
        own = {**lists, WORKER: "1", "ACCESS_LOG": "off"}
        with log.open("w") as output:
            process = subprocess.Popen(
                bound_to_parent([sys.executable, "-m", self.module], "KILL"),
                cwd=ROOT,
                env={**JWT_VARIABLES, **self.variables, **own},
                stdout=output,
                stderr=output,
            )
        self.processes.append(process)

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
                process.wait(STOP_SECONDS)


@pytest.fixture
def fleets(database: TestDatabase, tmp_path: Path) -> Iterator[tuple[Fleet, Fleet]]:
    customers_port, orders_port = map(str, free_ports(2))
    customers = Fleet(
        "customers_api",
        {"CUSTOMERS_PORT": customers_port, **database.customers_variables()},
        tmp_path,
    )
    orders = Fleet(
        "orders_api",
        {
            "ORDERS_PORT": orders_port,
            "CUSTOMERS_API_BASE": f"http://127.0.0.1:{customers_port}",
            **database.orders_variables(),
        },
        tmp_path,
    )
    yield customers, orders
    for fleet in (customers, orders):
        fleet.stop()


@dataclass
class Clients:
    """Operators and a service that never stop calling; what they are told is counted."""

    customers: str
    orders: str
    secret: str = OLD_SECRET
    service_token: str = OLD_TOKEN
    told: Counter[int] = field(default_factory=Counter)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        # A new connection each time meets whichever process takes it; kept ones stay with theirs.
        connectors = [aiohttp.TCPConnector(force_close=True), aiohttp.TCPConnector()]
        sessions = [aiohttp.ClientSession(connector=connector) for connector in connectors]
        operator = Api(sessions[0], self.orders, token(secret=self.secret))
        customer = await a_customer(Api(sessions[0], self.customers, operator.token))
        product = await a_product(operator, stock=1_000_000)
        order = {"customer_id": customer["id"], "items": lines((product, 1))}
        done = asyncio.Event()
        work = [
            asyncio.create_task(self._call(session, as_service, order, done))
            for session in sessions
            for as_service in (False, False, True)
        ]
        try:
            yield
        finally:
            done.set()
            await asyncio.gather(*work)
            for session in sessions:
                await session.close()

    async def _call(
        self,
        session: aiohttp.ClientSession,
        as_service: bool,
        order: dict[str, object],
        done: asyncio.Event,
    ) -> None:
        while not done.is_set():
            credential = self.service_token if as_service else token(secret=self.secret)
            orders = Api(session, self.orders, credential)
            customers = Api(session, self.customers, credential)
            # A process that stops may cut a connection that it has not taken yet: come again.
            with suppress(aiohttp.ClientError):
                key = unique("rotation")
                self.told[(await orders.post("/orders", order, X_Idempotency_Key=key)).status] += 1
            with suppress(aiohttp.ClientError):
                path = f"/{'internal/' if as_service else ''}customers/{order['customer_id']}"
                self.told[(await customers.get(path)).status] += 1

    async def go_on(self, calls: int = 40) -> None:
        """Wait until so many more calls were answered."""
        wanted = self.told.total() + calls
        await until(lambda: self.told.total() >= wanted, f"{calls} more calls", seconds=60)


async def test_secret_and_service_token_are_rotated_under_load_without_one_401(
    fleets: tuple[Fleet, Fleet],
) -> None:
    customers, orders = fleets

    async def roll(secrets: str, tokens: str) -> None:
        await asyncio.gather(*(fleet.roll(secrets, tokens) for fleet in fleets))

    await roll(OLD_SECRET, OLD_TOKEN)
    clients = Clients(
        f"http://127.0.0.1:{customers.variables['CUSTOMERS_PORT']}",
        f"http://127.0.0.1:{orders.variables['ORDERS_PORT']}",
    )
    async with clients.at_work():
        await clients.go_on()
        # First all learn to accept what is new, while what is old is signed and sent.
        await roll(f"{OLD_SECRET},{NEW_SECRET}", f"{OLD_TOKEN},{NEW_TOKEN}")
        await clients.go_on()
        # Then what is new is signed and sent; tokens of the old secret are still about.
        await roll(f"{NEW_SECRET},{OLD_SECRET}", f"{NEW_TOKEN},{OLD_TOKEN}")
        await clients.go_on()
        clients.secret, clients.service_token = NEW_SECRET, NEW_TOKEN
        await clients.go_on()
        # When the last old one has expired, the old ones go.
        await roll(NEW_SECRET, NEW_TOKEN)
        await clients.go_on()

    assert set(clients.told) == {200, 201}
    assert clients.told[200] > 100
    assert clients.told[201] > 100
    async with aiohttp.ClientSession() as session:
        for credential in (token(secret=OLD_SECRET), OLD_TOKEN):
            refused = await Api(session, clients.orders, credential).get("/orders")
            assert refused.status == 401
