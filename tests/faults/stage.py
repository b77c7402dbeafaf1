"""The whole system with a wire on each hop, so that a test can meet what goes over it.

The database is the embedded one, durable and kept by the supervisor as all else is: it can be
killed and comes back by itself.
"""

import asyncio
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import pymysql
import uvloop

from local_system.construction import temporary_system
from local_system.database import DatabaseServer
from local_system.environment import Values
from local_system.ports import ADDRESS
from local_system.system import LocalSystem
from local_system.wiring import Wiring, url
from tests.faults.defects import defects
from tests.wires import Wire, http_request, mysql_packet

T = TypeVar("T")

WORKERS = 2
POOL = 10
"""Connections of each worker."""
DATABASE = "backoffice"
ADMINISTRATOR_SECONDS = 60

FUNCTION_SECONDS = 6
_GIVEN = {
    "LOG_LEVEL": "WARNING",
    "MYSQL_POOL_SIZE": str(POOL),
    # Short, so that it does come about.
    "AWS_LAMBDA_FUNCTION_TIMEOUT": str(FUNCTION_SECONDS),
    "LAMBDA_TIMEOUT_SECONDS": str(FUNCTION_SECONDS),
}

DATABASE_HOPS = ("customers > database", "orders > database")
HTTP_HOPS = (
    "gateway > customers",
    "gateway > orders",
    "gateway > emulator-1",
    "gateway > emulator-2",
    "orchestrator > customers",
    "orchestrator > orders",
    "orders > customers",
)
CLIENTS_HOP = "client > gateway"


@dataclass(frozen=True, slots=True)
class _StagedWiring(Wiring):
    """The wiring of a system, with the callers' addresses replaced by those of the wires."""

    hops: Values

    def environment(self, folder: str) -> dict[str, str]:
        """Return the whole environment of a program of the service in the folder."""
        return {**Wiring.environment(self, folder), **self.hops.get(folder, {})}


@dataclass(frozen=True, slots=True)
class StagedSystem(LocalSystem):
    """A local system whose services meet over wires."""

    hops: Values = field(default_factory=dict)

    @property
    def wiring(self) -> Wiring:
        """What decides about the programs' environments."""
        return _StagedWiring(
            self.root, self.run_dir, self.ports, self.server, self.values, self.given, self.hops
        )


@dataclass(frozen=True, slots=True)
class Stage:
    """A running system, its wires by hop, and the loop in which they work."""

    system: StagedSystem
    wires: Mapping[str, Wire]
    runner: asyncio.Runner
    _known_defects: set[str] = field(default_factory=set)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in the loop of the wires: nothing passes them but meanwhile."""
        return self.runner.run(work)

    @property
    def door(self) -> str:
        """Base URL at which clients call."""
        if CLIENTS_HOP in self.wires:
            return url(self.wires[CLIENTS_HOP].own_port)
        return self.system.gateway_url

    def new_defects(self) -> list[str]:
        """Return what the logs tell of failures that nobody had foreseen, since the last look."""
        found = [line for line in defects(self.system.logs) if line not in self._known_defects]
        self._known_defects.update(found)
        return found

    def connect(self) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        """Connect to the database as the administrator, past all wires."""
        server = self.system.server
        return pymysql.connect(
            host=server.host,
            port=server.port,
            user=server.admin_user,
            password=server.admin_password,
            database=DATABASE,
            autocommit=True,
            charset="utf8mb4",
            init_command="SET time_zone = '+00:00'",
            connect_timeout=5,
            read_timeout=ADMINISTRATOR_SECONDS,
        )


@contextmanager
def running_stage(
    folder: Path, hops: tuple[str, ...], servers: Sequence[DatabaseServer] = ()
) -> Iterator[Stage]:
    """Start a system with wires on these hops; stop it at the end.

    The services' connections are spread over the database ``servers``, if some are given.
    """
    plain = temporary_system(folder / "run", _GIVEN, servers[0] if servers else None)
    values = {one.name: getattr(plain, one.name) for one in fields(plain)}
    wires = {hop: _wire(plain, hop, servers) for hop in hops}
    with (
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        # Whatever fails: a loop with a wire that listens would never close.
        ExitStack() as cleaning,
    ):
        for wire in wires.values():
            runner.run(wire.open())
            cleaning.callback(_close, runner, wire)
        staged = {"is_durable": True, "workers": WORKERS, "hops": _hops(wires)}
        system = StagedSystem(**{**values, **staged})
        cleaning.callback(lambda: runner.run(asyncio.to_thread(system.stop)))
        runner.run(asyncio.to_thread(system.start))
        stage = Stage(system, wires, runner)
        yield stage
    assert stage.new_defects() == []


def _close(runner: asyncio.Runner, wire: Wire) -> None:
    runner.run(wire.close())


def _wire(system: LocalSystem, hop: str, servers: Sequence[DatabaseServer]) -> Wire:
    if hop in DATABASE_HOPS:
        others = [server.port for server in servers[1:]]
        return Wire(ADDRESS, system.server.port, mysql_packet, other_ports=others)
    name = hop.partition(" > ")[2]
    (place,) = (place for place in system.places() if place.name == name)
    return Wire(ADDRESS, place.port, http_request)


def _hops(wires: Mapping[str, Wire]) -> Values:
    """Return, by folder, the variables that lead each caller over its wires."""
    variables = {
        "customers > database": ("customers_api", "MYSQL_PORT"),
        "orders > database": ("orders_api", "MYSQL_PORT"),
        "gateway > customers": ("gateway", "CUSTOMERS_API_BASE"),
        "gateway > orders": ("gateway", "ORDERS_API_BASE"),
        "orchestrator > customers": ("orchestrator_image", "CUSTOMERS_API_BASE"),
        "orchestrator > orders": ("orchestrator_image", "ORDERS_API_BASE"),
        "orders > customers": ("orders_api", "CUSTOMERS_API_BASE"),
    }
    hops: Values = {}
    for hop, (folder, variable) in variables.items():
        if hop in wires:
            port = wires[hop].own_port
            value = str(port) if variable == "MYSQL_PORT" else url(port)
            hops.setdefault(folder, {})[variable] = value
    emulators = [hop for hop in wires if hop.startswith("gateway > emulator")]
    if emulators:
        endpoints = ",".join(url(wires[hop].own_port) for hop in emulators)
        hops.setdefault("gateway", {})["LAMBDA_ENDPOINTS"] = endpoints
    return hops
