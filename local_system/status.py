"""Says what runs, where, and whether it can do its work."""

import os
import sys

from local_system.arguments import parser
from local_system.construction import clone_system
from local_system.failures import run_verb
from local_system.memory import Memory
from local_system.ports import ADDRESS
from local_system.programs import DATABASE, Place
from local_system.progress import Silence
from local_system.supervision import ProgramState
from local_system.system import LocalSystem
from local_system.wiring import url

_NOT_RUNNING = 3
_ROW = "{:<14} {:<9} {:<28} {:<24} {}"


def row(place: Place, state: ProgramState, *, is_ready: bool) -> str:
    """Return a program's line: its state, since when, its address, its health."""
    address = f"{ADDRESS}:{place.port}" if place.name == DATABASE else url(place.port)
    health = "ok" if is_ready else "NOT READY"
    return _ROW.format(place.name, state.state, state.description, address, health)


def show(system: LocalSystem) -> bool:
    """Print a line for each program and say whether all are ready."""
    memory = Memory.read(system.run_dir)
    started_at = f", since {memory.started_at}" if memory else ""
    sys.stdout.write(f"up{started_at}; logs in {system.logs}\n")
    states = system.supervisor.states()
    all_ready = True
    for place in system.places():
        is_ready = system.is_ready(place)
        all_ready = all_ready and is_ready
        sys.stdout.write(row(place, states[place.name], is_ready=is_ready) + "\n")
    if not system.is_embedded:
        sys.stdout.write(f"database server (not ours): {system.server.host}:{system.server.port}\n")
    return all_ready


def main() -> int:
    """Show the clone's system; 0 all ready, 1 something is not, 3 it is not up."""
    parser(
        "status",
        __doc__,
        """
        exit code: 0 everything is ready, 1 something is not, 3 the system is not up

        examples:
          scripts/status
          scripts/status && scripts/invoke
        """,
    ).parse_args()
    system = clone_system(os.environ, Silence())
    if not system.is_running():
        sys.stdout.write("not up: scripts/up starts it\n")
        return _NOT_RUNNING
    return 0 if show(system) else 1


if __name__ == "__main__":
    run_verb(main)
