"""One run: clients, faults, the return to health, and the check of all invariants."""

import asyncio
import random
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import ClassVar

import aiohttp
from aiohttp import ClientTimeout

from tests.apis import Api
from tests.faults import invariants
from tests.faults.clients import HOT, Client
from tests.faults.ledger import Ledger
from tests.faults.scene import Scene, Strike
from tests.faults.stage import Stage
from tests.running_systems import token_of

CLIENT_SECONDS = 100.0
"""Longer than the gateway may take for an orchestration, queue and repeats included."""
HEALTHY_SECONDS = 60.0
HOT_PRODUCTS = 6
FEWEST_STRIKES = 2
SHORT_SCALE = 0.1
"""How long a fault of a short run lasts, as a part of its full length."""
FAULT_SECONDS = 15.0
"""What most faults last at their full length."""
MISSED_SECONDS = 60.0
"""What a long run may take besides for the kinds of faults that have not struck in it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens in a run: each group of faults strikes beside the others, its own in turn."""

    name: str
    groups: Sequence[Sequence[Strike]]
    seconds: float
    seed: int
    clients: int = 16
    is_long: bool = False

    def scale(self, seconds: float) -> float:
        """Return which part of its full length a fault may last that has so many seconds."""
        if not self.is_long:
            return SHORT_SCALE
        return min(1.0, max(SHORT_SCALE, seconds / FAULT_SECONDS))


@dataclass(slots=True)
class Report:
    """What came of a run."""

    HEAD: ClassVar = (
        (
            "| run | how often each fault struck | requests | facts verified | violations"
            " | slowest answer, s | healthy after, s | seed |"
        ),
        "|---|---|---|---|---|---|---|---|",
    )

    plan: Plan
    struck: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    facts: int = 0
    violations: list[str] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    slowest_seconds: float = 0
    slowest: str = ""
    recovery_seconds: float = 0

    def row(self) -> str:
        """Return the run as a row of the table in docs/reliability.md."""
        counts = sorted((what, count) for what, count in self.struck.items() if count)
        struck = ", ".join(f"{what} {count}" for what, count in counts)
        return (
            f"| {self.plan.name} | {struck or 'none'} | {self.requests:,} | {self.facts:,} |"
            f" {len(self.violations)} | {self.slowest_seconds:.1f} | {self.recovery_seconds:.1f} |"
            f" {self.plan.seed} |"
        )


async def run(stage: Stage, plan: Plan) -> Report:
    """Let the clients work while the faults strike; then heal, wait, and check everything."""
    chance = random.Random(plan.seed)
    ledger = Ledger()
    report = Report(plan)
    async with gateway(stage) as api:
        clients = await _clients(plan, api, ledger, chance)
        scene = Scene(stage, chance, clients[0].products, SHORT_SCALE, report.struck)
        end = time.monotonic() + plan.seconds
        async with asyncio.TaskGroup() as tasks:
            faults = [
                tasks.create_task(strike(plan, scene, group, end, random.Random(chance.random())))
                for group in plan.groups
            ]

            def is_over() -> bool:
                return time.monotonic() > end and all(one.done() for one in faults)

            for client in clients:
                tasks.create_task(client.work(is_over))
            if faults:
                await asyncio.wait(faults)
            report.recovery_seconds = await _until_healthy(api)
        findings = invariants.Findings()
        stored = await asyncio.to_thread(_stored, stage)
        invariants.check(ledger, stored, findings)
        await invariants.check_over_http(api, ledger, stored, findings)
    report.requests = ledger.requests
    report.facts = findings.facts
    report.violations = [*findings.violations, *stage.new_defects()]
    report.told = ledger.told()
    report.slowest_seconds, report.slowest = ledger.slowest()
    return report


@asynccontextmanager
async def gateway(stage: Stage) -> AsyncIterator[Api]:
    """Return the gateway as an operator sees it whose token lasts."""
    connector = aiohttp.TCPConnector(limit=0)
    timeout = ClientTimeout(total=CLIENT_SECONDS)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        lasting = token_of(stage.system, exp=int(time.time()) + 24 * 3600)
        yield Api(session, stage.door, lasting)


async def _clients(plan: Plan, api: Api, ledger: Ledger, chance: random.Random) -> list[Client]:
    """Make products that are scarce, and clients with a customer each."""
    mark = secrets.token_hex(2)
    products = []
    for number in range(HOT_PRODUCTS):
        stock, price = chance.randrange(40, 400), chance.randrange(1, 100_000)
        value = {"sku": f"hot{mark}{number}", "name": HOT, "price_cents": price, "stock": stock}
        created = (await api.post("/products", value)).json
        products.append(created["id"])
        ledger.initial_stock[created["id"]] = stock
        ledger.prices[created["id"]] = {price}
    clients = [
        Client(f"{mark}x{number:03}", number, api, ledger, random.Random(chance.random()), products)
        for number in range(plan.clients)
    ]
    await asyncio.gather(*(client.become_a_customer() for client in clients))
    return clients


async def strike(
    plan: Plan, scene: Scene, group: Sequence[Strike], end: float, chance: random.Random
) -> None:
    """Strike until it is over, each kind of the group as often as the others.

    On a slow machine it is not over before a few strikes; in a long run not before each kind has
    struck, if it does at all.
    """
    waiting: list[Strike] = []
    done = 0
    while (
        (left := end - time.monotonic()) > 0
        or done < min(FEWEST_STRIKES, len(group))
        or (plan.is_long and left > -MISSED_SECONDS and missing(group, scene.struck))
    ):
        await asyncio.sleep(chance.uniform(0.2, 1.5))
        if left <= 0:
            waiting = missing(group, scene.struck) or list(group)
        elif not waiting:
            waiting = chance.sample(group, len(group))
        scale = plan.scale(left / len(waiting))
        await waiting.pop().act(replace(scene, scale=scale))
        done += 1


def missing(group: Sequence[Strike], struck: Counter[str]) -> list[Strike]:
    """Return the kinds of faults that have not struck."""
    return [kind for kind in group if not struck[kind.name]]


async def _until_healthy(api: Api) -> float:
    """Wait until the gateway says that all can do their work; return how long that took."""
    began = time.monotonic()
    while True:
        try:
            async with asyncio.timeout(10):
                if (await api.get("/health")).status == 200:
                    return time.monotonic() - began
        except (aiohttp.ClientError, TimeoutError):
            pass
        assert time.monotonic() < began + HEALTHY_SECONDS, "not healthy again"
        await asyncio.sleep(0.05)


def _stored(stage: Stage) -> invariants.Stored:
    """Read the database in one snapshot."""
    with stage.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        return invariants.read(connection)
