"""One whole system on this machine: started, watched and stopped as one thing."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from local_system import calls, database_binaries, emulator, starting
from local_system.database import DatabaseServer, EmbeddedDatabase
from local_system.environment import Values
from local_system.failures import LocalSystemError
from local_system.memory import Memory
from local_system.ports import Ports, is_answering
from local_system.programs import Place, Program, places, programs
from local_system.progress import Progress, Silence
from local_system.sockets import socket_folder
from local_system.stopping import stop, wipe
from local_system.supervision import Supervisor
from local_system.wiring import Wiring, url


@dataclass(frozen=True, slots=True)
class LocalSystem:
    """A system with its own run folder, ports, variables and database.

    ``values`` are the services' variables by folder; ``given`` are those of the caller's
    environment, which win. ``is_embedded`` says whether the database server is started and stopped
    with the system. ``is_durable`` may be given up by tests, for speed. Each API has so many
    ``workers``.
    """

    root: Path
    run_dir: Path
    ports: Ports
    server: DatabaseServer
    values: Values = field(repr=False)
    given: Mapping[str, str] = field(repr=False)
    is_embedded: bool = True
    is_durable: bool = True
    workers: int = 1
    progress: Progress = field(default_factory=Silence)

    @property
    def supervisor(self) -> Supervisor:
        """The supervisord that keeps this system's programs."""
        return Supervisor(self.root, self.run_dir)

    @property
    def wiring(self) -> Wiring:
        """What decides about the programs' environments."""
        return Wiring(self.root, self.run_dir, self.ports, self.server, self.values, self.given)

    @property
    def customers_url(self) -> str:
        """Base URL of the Customers API."""
        return url(self.ports.customers)

    @property
    def orders_url(self) -> str:
        """Base URL of the Orders API."""
        return url(self.ports.orders)

    @property
    def gateway_url(self) -> str:
        """Base URL of the gateway."""
        return url(self.ports.gateway)

    @property
    def emulator_url(self) -> str:
        """Base URL of the emulator for people."""
        return url(self.ports.rie)

    @property
    def logs(self) -> Path:
        """The folder with one log for each program."""
        return self.run_dir / "logs"

    def is_running(self) -> bool:
        """Say whether the system has been started, whatever became of its programs."""
        return self.supervisor.is_running()

    def environment(self, folder: str) -> dict[str, str]:
        """Return the whole environment of the programs of a service's folder."""
        return self.wiring.environment(folder)

    def places(self) -> list[Place]:
        """Return what runs in this system and where, in the order in which it starts."""
        return places(self.ports, is_embedded=self.is_embedded)

    def programs(self) -> list[Program]:
        """Return the programs of the system, fetching or installing what they need.

        Raises:
            LocalSystemError: something is missing and not to be had; names the remedy.
        """
        database = self._embedded_database() if self.is_embedded else None
        binary = emulator.binary(self.root, self.logs / "emulator.fetch.log", self.progress)
        return programs(self.wiring, binary, database, self.workers)

    def start(self) -> None:
        """Bring everything up and return when it is healthy; after a failure nothing stays.

        Raises:
            LocalSystemError: a port is taken, or something cannot be had or did not start.
        """
        starting.start(self)

    def ensure_healthy(self) -> None:
        """Start the programs that do not run and wait until all can do their work.

        Raises:
            LocalSystemError: one did not get there; names its log.
        """
        starting.ensure_healthy(self)

    def run_module(self, module: str, *arguments: str) -> str:
        """Run a module of `db` on this system's database and return what it printed.

        Raises:
            LocalSystemError: it failed; gives its reason.
        """
        command, environment = self._command(module, *arguments)
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            reason = done.stderr.strip().removeprefix("error: ") or f"exit code {done.returncode}"
            raise LocalSystemError(f"{module}: {reason}")
        return done.stdout

    def become_module(self, module: str, *arguments: str) -> NoReturn:
        """Become a module that works on this system's database: its terminal, signals, exit code.

        Paths in the arguments are those of the caller's folder.
        """
        command, environment = self._command(module, *arguments)
        sys.stdout.flush()
        os.execve(command[0], command, environment)  # noqa: S606  # no shell is wanted

    def _command(self, module: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
        # -P keeps the caller's folder off Python's path: a file there must not be a module.
        command = [sys.executable, "-P", "-m", module, *arguments]
        return command, {**self.environment("db"), "PYTHONPATH": str(self.root)}

    def stop(self) -> bool:
        """Stop every process of the system, also those left by a crash; say whether any ran."""
        return stop(self.root, self.run_dir)

    def wipe(self) -> None:
        """Forget the embedded database's data; the system must have been stopped."""
        wipe(self.run_dir)

    def is_ready(self, place: Place) -> bool:
        """Say whether what runs there takes work."""
        if place.has_health:
            return calls.is_healthy(url(place.port))
        return is_answering(place.port)

    def remember(self) -> None:
        """Write down for later calls how the system is started."""
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        memory = Memory(self.ports, self.server.host, self.server.port, self.is_embedded, now)
        memory.write(self.run_dir)

    def _embedded_database(self) -> EmbeddedDatabase:
        log = self.logs / "database.install.log"
        database = EmbeddedDatabase(
            self.run_dir / "database",
            socket_folder(self.run_dir / "socket-folder") / "mysql.sock",
            self.ports.mysql,
            database_binaries.find_or_install(log, self.progress),
            fast=not self.is_durable,
        )
        if database.data.exists():
            database.prepare(self.server.admin_user, self.server.admin_password, log)
        else:
            with self.progress.step("making the database's data folder"):
                database.prepare(self.server.admin_user, self.server.admin_password, log)
        return database
