"""What a fault works on, and where it notes how often it struck."""

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from local_system import processes
from tests.faults.stage import Stage
from tests.system.databases import Query

RETURN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Scene:
    """The stage, a source of chance, and the products that the clients fight for.

    ``scale`` stretches the faults that last: 1 in a long run, less in a short one.
    """

    stage: Stage
    chance: random.Random
    products: Sequence[int]
    scale: float
    struck: Counter[str] = field(default_factory=Counter)

    async def last(self, seconds: float) -> None:
        """Let a fault last; so long in a long run."""
        await asyncio.sleep(seconds * self.scale)

    async def pid_of(self, program: str) -> int:
        """Return the process of a program as soon as it runs."""
        found: list[int] = []

        async def look() -> int:
            states = await asyncio.to_thread(self.stage.system.supervisor.states)
            return states[program].pid if states[program].is_running else 0

        while not (pid := await look()):
            found.append(pid)
            assert len(found) < RETURN_SECONDS / 0.1, f"{program} does not come back"
            await asyncio.sleep(0.1)
        return pid

    async def administer(self, work: Callable[[Query], None]) -> None:
        """Do something in the database as its administrator, beside the loop."""
        await asyncio.to_thread(self._administer, work)

    def _administer(self, work: Callable[[Query], None]) -> None:
        with self.stage.connect() as connection, connection.cursor() as cursor:

            def query(sql: str, *parameters: object) -> list[tuple[object, ...]]:
                cursor.execute(sql, parameters)
                return list(cursor.fetchall())

            work(query)


@dataclass(frozen=True, slots=True)
class Strike:
    """A kind of fault: its name in the report, and how it is done once."""

    name: str
    act: Callable[[Scene], Awaitable[None]]


def kill(pid: int) -> bool:
    """End a process as a crash of the machine would; say whether it was there."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def children(pid: int) -> list[int]:
    """Return the processes that a process has started and that still run."""
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [child for child in map(int, listed.split()) if processes.is_alive(child)]


def owner_of_port(run_dir: Path, port: int) -> int | None:
    """Return the process of a system that has a connection from this local port."""
    wanted = f"0100007F:{port:04X}"
    inodes = {
        f"socket:[{fields[9]}]"
        for fields in (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
        if fields[1] == wanted
    }
    for pid in processes.marked(run_dir):
        with suppress(OSError):
            for handle in Path(f"/proc/{pid}/fd").iterdir():
                if str(handle.readlink()) in inodes:
                    return pid
    return None
