"""Runs the programs of db/ on this clone's database, as db/.env has it.

The verbs are migrate, seed, doctor, backup and restore; each describes itself (``--help``).
"""

import os
import sys

from db import server_tools
from local_system import debian_packages
from local_system.construction import clone_system
from local_system.failures import LocalSystemError, run_verb
from local_system.progress import Progress
from local_system.system import LocalSystem

_WITH_TOOLS = {"backup": server_tools.DUMP, "restore": server_tools.CLIENT}


def main() -> int:
    """Become the program that the first argument names; it takes the other arguments."""
    verb, *arguments = sys.argv[1:]
    system = clone_system(os.environ, Progress())
    if not {"-h", "--help"} & set(arguments):
        if system.is_embedded and not system.is_running():
            raise LocalSystemError("the embedded database runs with the system: scripts/up first")
        if verb in _WITH_TOOLS:
            _provide(_WITH_TOOLS[verb], system)
    system.become_module(_module(verb, arguments), *arguments)


def _module(verb: str, arguments: list[str]) -> str:
    is_big = verb == "seed" and any(argument.startswith("--size") for argument in arguments)
    return "benchmark.seed" if is_big else f"db.{verb}"


def _provide(kind: str, system: LocalSystem) -> None:
    """Install Debian's client programs, if none is there for the embedded server, a Debian one."""
    if system.is_embedded and server_tools.find(kind, for_mariadb=True) is None:
        debian_packages.install(
            (server_tools.PACKAGE,),
            f"{kind} program of the database server",
            f"install it (apt-get install {server_tools.PACKAGE})",
            system.logs / "client.install.log",
            system.progress,
        )


if __name__ == "__main__":
    run_verb(main)
