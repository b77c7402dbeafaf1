"""supervisord: started with one system's configuration, and the calls to it."""

import contextlib
import http.client
import json
import os
import subprocess
import sys
import xmlrpc.client
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from local_system import processes
from local_system.failures import LocalSystemError
from local_system.private_files import write_private
from local_system.programs import Program
from local_system.sockets import remembered_folder, socket_folder
from local_system.supervisor_configuration import configuration, launch_command, section
from local_system.unix_rpc import UnixTransport

_START_SECONDS = 10
_STOP_SECONDS = 90.0
# While it shuts down, supervisord answers every call with a fault.
_NOT_THERE = (OSError, http.client.HTTPException, xmlrpc.client.Fault)


@dataclass(frozen=True, slots=True)
class ProgramState:
    """What supervisord says of a program; ``state`` is its word, such as ``RUNNING``."""

    name: str
    state: str
    pid: int
    description: str

    @property
    def is_running(self) -> bool:
        """Whether it runs, or was started a moment ago."""
        return self.state in {"RUNNING", "STARTING"}

    @property
    def is_failing(self) -> bool:
        """Whether it ended by itself, soon after its start."""
        return self.state in {"BACKOFF", "FATAL", "EXITED"}


class Supervisor:
    """The supervisord of one run folder."""

    def __init__(self, root: Path, run_dir: Path) -> None:
        self._root = root
        self._run_dir = run_dir
        self.logs = run_dir / "logs"
        self._configuration = run_dir / "supervisord.conf"
        self._pid_file = run_dir / "supervisord.pid"
        self._socket_memory = run_dir / "socket-folder"

    def write(self, programs: Iterable[Program]) -> None:
        """Write the configuration and the programs' private files, in place of the old ones."""
        self.logs.mkdir(parents=True, exist_ok=True)
        # Logs name customers: they are not for everybody on the machine.
        self._run_dir.chmod(0o700)
        parts = [configuration(self._root, self._run_dir, self._new_socket(), self.logs)]
        for program in programs:
            file = self.program_file(program.name)
            description = {
                "command": list(program.command),
                "folder": str(self._root),
                "environment": dict(program.environment),
            }
            write_private(file, json.dumps(description, indent=1))
            parts.append(section(program, self._root, launch_command(file), self.logs))
        write_private(self._configuration, "".join(parts))

    def program_file(self, name: str) -> Path:
        """Return the private file from which a program is launched."""
        return self._run_dir / "programs" / f"{name}.json"

    def environment_of(self, name: str) -> dict[str, str]:
        """Return the environment that a program was last started with; empty if never."""
        try:
            described = json.loads(self.program_file(name).read_text())
        except OSError:
            return {}
        return dict(described["environment"])

    def start(self) -> None:
        """Start supervisord in a session of its own, so that it outlives the terminal.

        Raises:
            LocalSystemError: it did not start; names its log.
        """
        log = self.logs / "supervisord.log"
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._configuration)]
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            processes.MARK: str(self._run_dir),
        }
        with (self.logs / "supervisord.start.log").open("w") as output:
            done = subprocess.run(
                command,
                env=environment,
                cwd=self._root,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                check=False,
            )
        if done.returncode != 0 or not self._answers_soon():
            raise LocalSystemError(f"supervisord did not start: see {output.name} and {log}")

    def is_running(self) -> bool:
        """Say whether supervisord answers, and is not about to end."""
        try:
            self._call("getState")
        except _NOT_THERE:
            return False
        return True

    def states(self) -> dict[str, ProgramState]:
        """Return the state of every program."""
        answers = cast("list[dict[str, Any]]", self._call("getAllProcessInfo"))
        return {
            str(answer["name"]): ProgramState(
                str(answer["name"]),
                str(answer["statename"]),
                int(answer["pid"]),
                str(answer["description"]),
            )
            for answer in answers
        }

    def start_program(self, name: str) -> None:
        """Start a program unless it is up; returns before it is ready."""
        wait = False  # supervisord would wait until the program has run for a second
        self._call_for(name, "startProcess", "ALREADY_STARTED", wait)

    def stop_program(self, name: str) -> None:
        """Stop a program, if it runs, and wait until it has ended."""
        self._call_for(name, "stopProcess", "NOT_RUNNING")

    def shut_down(self) -> None:
        """Stop every program, in reverse order, then supervisord; nothing if it is not up."""
        pid = self._pid()
        with contextlib.suppress(*_NOT_THERE):
            self._call("shutdown")
        if pid is not None:
            processes.gone([pid], _STOP_SECONDS)

    def _pid(self) -> int | None:
        try:
            return int(self._pid_file.read_text())
        except (OSError, ValueError):
            return None

    def _answers_soon(self) -> bool:
        return processes.wait_until(self.is_running, _START_SECONDS)

    def _call_for(self, name: str, method: str, harmless: str, *arguments: object) -> None:
        try:
            self._call(method, name, *arguments)
        except xmlrpc.client.Fault as fault:
            if not fault.faultString.startswith(harmless):
                raise LocalSystemError(
                    f"supervisord cannot {method} {name}: {fault.faultString}"
                ) from fault

    def _call(self, method: str, *arguments: object) -> object:
        folder = remembered_folder(self._socket_memory)
        if folder is None:
            raise ConnectionRefusedError("no socket")
        transport = UnixTransport(folder / "supervisor.sock")
        with xmlrpc.client.ServerProxy("http://supervisor", transport=transport) as proxy:
            return getattr(proxy.supervisor, method)(*arguments)

    def _new_socket(self) -> Path:
        return socket_folder(self._socket_memory) / "supervisor.sock"
