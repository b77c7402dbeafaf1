"""The programs of a system: what each runs, from which folder's settings, how it is stopped."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local_system import emulator
from local_system.database import EmbeddedDatabase
from local_system.ports import Ports
from local_system.processes import bound_to_parent
from local_system.wiring import Wiring

DATABASE = "database"
CUSTOMERS = "customers"
ORDERS = "orders"
GATEWAY = "gateway"
CURL_EMULATOR = "emulator-curl"

# Services finish what runs in 10 seconds; the database writes what it holds in memory.
_SERVICE_STOP_SECONDS = 15
_DATABASE_STOP_SECONDS = 60
_EMULATOR_STOP_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Place:
    """Where a program listens; ``has_health`` says whether it answers ``GET /health``."""

    name: str
    port: int
    has_health: bool


@dataclass(frozen=True, slots=True)
class Program:
    """What supervisord runs; ``order`` is when it starts, and the reverse when it stops."""

    name: str
    order: int
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    stop_seconds: int
    stops_as_group: bool = False


def places(ports: Ports, *, is_embedded: bool) -> list[Place]:
    """Return every program's place, in the order in which they start."""
    emulators = zip(emulator_names(ports), (*ports.emulators, ports.rie), strict=True)
    return [
        *([Place(DATABASE, ports.mysql, has_health=False)] if is_embedded else []),
        Place(CUSTOMERS, ports.customers, has_health=True),
        Place(ORDERS, ports.orders, has_health=True),
        *(Place(name, port, has_health=False) for name, port in emulators),
        Place(GATEWAY, ports.gateway, has_health=True),
    ]


def programs(
    wiring: Wiring, emulator_binary: Path, database: EmbeddedDatabase | None, workers: int = 1
) -> list[Program]:
    """Return all programs of a system, in the order in which they start.

    Each API has so many ``workers`` on its port.
    """
    several = ("--workers", str(workers)) if workers > 1 else ()
    return [
        *([] if database is None else [_database(wiring, database)]),
        _service(wiring, CUSTOMERS, 200, "customers_api", *several),
        _service(wiring, ORDERS, 200, "orders_api", *several),
        *_emulators(wiring, emulator_binary),
        # Last to start and first to stop: what it has taken in is finished by the others.
        _service(wiring, GATEWAY, 400, "gateway"),
    ]


def emulator_names(ports: Ports) -> list[str]:
    """Return the programs of the emulators: the gateway's, then the one for people."""
    own = [f"emulator-{number}" for number in range(1, len(ports.emulators) + 1)]
    return [*own, CURL_EMULATOR]


def _database(wiring: Wiring, database: EmbeddedDatabase) -> Program:
    # Whole, but without the settings of db/.env: the server has no use for passwords.
    environment = {
        name: value for name, value in wiring.environment("db").items() if "MYSQL" not in name
    }
    command = bound_to_parent(database.command(), "TERM")
    return Program(DATABASE, 100, tuple(command), environment, _DATABASE_STOP_SECONDS)


def _service(wiring: Wiring, name: str, order: int, package: str, *options: str) -> Program:
    command = bound_to_parent([sys.executable, "-m", package, *options], "TERM")
    return Program(name, order, tuple(command), wiring.environment(package), _SERVICE_STOP_SECONDS)


def _emulators(wiring: Wiring, binary: Path) -> list[Program]:
    ports = wiring.ports
    environment = {
        **wiring.environment("orchestrator_image"),
        "AWS_LAMBDA_FUNCTION_NAME": "create-and-confirm-order",
    }
    listening = zip(
        emulator_names(ports), (*ports.emulators, ports.rie), ports.runtime_apis, strict=True
    )
    return [
        Program(
            name,
            300,
            tuple(bound_to_parent(emulator.command(binary, port, runtime_api), "TERM")),
            environment,
            _EMULATOR_STOP_SECONDS,
            stops_as_group=True,
        )
        for name, port, runtime_api in listening
    ]
