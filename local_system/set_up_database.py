"""Runs db.migrate or db.seed on this clone's database, with the settings of db/.env."""

import os
import subprocess
import sys

from local_system.arguments import parser
from local_system.construction import clone_system
from local_system.failures import LocalSystemError, run_verb
from local_system.progress import Progress
from local_system.system import LocalSystem

_DESCRIPTIONS = {
    "migrate": "Brings the database up to date: accounts, pending migrations, rights.",
    "seed": "Loads the first data, db/seed.sql, into the database.",
}


def main() -> int:
    """Run the module that the first argument names."""
    verb = sys.argv.pop(1)
    more = "\n          scripts/seed --size 100000     big data" if verb == "seed" else ""
    described = parser(
        verb,
        f"{_DESCRIPTIONS[verb]} Safe to run again; scripts/up does it at each start.",
        f"""
        environment: MYSQL_HOST names a server other than the embedded one, with MYSQL_PORT,
        MYSQL_ADMIN_USER and MYSQL_ADMIN_PASSWORD; db/.env.example explains the others.

        examples:
          scripts/{verb}{more}
          MYSQL_HOST=127.0.0.1 MYSQL_PORT=3306 MYSQL_ADMIN_PASSWORD=... scripts/{verb}
        """,
    )
    if verb == "seed":
        described.add_argument(
            "--size",
            type=int,
            metavar="N",
            help="add N made-up customers instead, N/10 products, and 2 N orders of 3 items",
        )
    size = getattr(described.parse_args(), "size", None)
    system = clone_system(os.environ, Progress())
    if system.is_embedded and not system.is_running():
        raise LocalSystemError("the embedded database runs with the system: scripts/up first")
    if size is not None:
        return _load(system, size)
    sys.stdout.write(system.run_module(f"db.{verb}"))
    return 0


def _load(system: LocalSystem, size: int) -> int:
    """Add many rows; the loader shows on the terminal how far it is."""
    command = [sys.executable, "-m", "benchmark.seed", "--size", str(size)]
    environment = system.environment("db")
    return subprocess.run(command, cwd=system.root, env=environment, check=False).returncode


if __name__ == "__main__":
    run_verb(main)
