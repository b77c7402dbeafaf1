"""Starts the whole system in the background and takes the example order through it.

From nothing: each service's .env with fresh secrets, a database server (installed by apt when
there is none and you may), migrations, first data, both APIs, the orchestrator under its
emulators, the gateway. Prints the order's JSON on standard output. While the system is up it says
so and takes the order again.
"""

import os
import sys
import time

from local_system import environment, example_order, ports, token
from local_system.arguments import parser
from local_system.construction import ROOT, RUN_DIR, clone_system
from local_system.failures import run_verb
from local_system.locking import exclusive
from local_system.memory import Memory
from local_system.progress import Progress
from local_system.system import LocalSystem
from local_system.wiring import local_addresses
from service_kit.tokens import Role

_TOKEN_SECONDS = 60


def bring_up(progress: Progress) -> LocalSystem:
    """Return the clone's system, running and healthy."""
    _make_env_files(progress)
    system = clone_system(os.environ, progress)
    if system.is_running():
        memory = Memory.read(system.run_dir)
        since = f", since {memory.started_at}" if memory else ""
        progress.note(f"already up{since}; what has changed since needs scripts/down first")
        system.ensure_healthy()
    else:
        system.start()
    return system


def take_example_order(system: LocalSystem, progress: Progress) -> int:
    """Take the example order through the gateway and print its JSON; 0 if it was confirmed."""
    settings = token.variables(os.environ)
    operator = token.operator_token(settings, Role.OPERATOR, "scripts/up", _TOKEN_SECONDS)
    with progress.step("taking the example order through the gateway"):
        answer = example_order.through_gateway(
            system.gateway_url, operator, example_order.example()
        )
    sys.stdout.write(example_order.pretty(answer) + "\n")
    if example_order.succeeded(answer):
        return 0
    if example_order.error_code(answer) == "INSUFFICIENT_STOCK":
        progress.note(
            "the example's product 2 is sold out: everything is up, but no order was made. Restock "
            "it (README, PATCH /products/2), or begin anew: scripts/down --wipe; scripts/up"
        )
    else:
        progress.note(f"the example order was refused ({answer.status}): see {system.logs}")
    return 1


def _make_env_files(progress: Progress) -> None:
    """Write the missing `.env` files, with the ports of a plain start.

    Ports that the environment names are for this start alone: no file keeps them.
    """
    memory = Memory.read(RUN_DIR)
    chosen = ports.choose({}, {}, memory.ports if memory else None, is_embedded=True)
    addresses = local_addresses(chosen, ports.ADDRESS, chosen.mysql)
    # Empty: the server is started with the system.
    addresses["db"]["MYSQL_HOST"] = ""
    for file in environment.create_files(ROOT, addresses):
        progress.note(f"made {file.relative_to(ROOT)} with fresh secrets")


def _summary(system: LocalSystem) -> list[str]:
    return [
        f"gateway       {system.gateway_url}  (pages: /docs)",
        f"customers     {system.customers_url}",
        f"orders        {system.orders_url}",
        f"orchestrator  {system.emulator_url}  (scripts/invoke)",
        f"database      {system.server.host}:{system.server.port}",
        f"logs          {system.logs}",
        "next: scripts/status, scripts/token, scripts/invoke --http, scripts/down",
    ]


def main() -> int:
    """Bring the system up, take the example order."""
    parser(
        "up",
        __doc__,
        """
        environment (each wins over the .env files):
          GATEWAY_PORT, CUSTOMERS_PORT, ORDERS_PORT, RIE_PORT    3000, 3001, 3002, 9000
          MYSQL_PORT             of the embedded database; a free one unless given
          EMULATOR_PORT_BASE     five ports from here for the gateway's emulators; free ones unless
                                 given
          MYSQL_HOST             use this server instead of an embedded one, with MYSQL_PORT,
                                 MYSQL_ADMIN_USER and MYSQL_ADMIN_PASSWORD

        examples:
          scripts/up
          scripts/up | jq .data.order
          GATEWAY_PORT=4000 CUSTOMERS_PORT=4001 ORDERS_PORT=4002 RIE_PORT=4003 scripts/up
          MYSQL_HOST=127.0.0.1 MYSQL_PORT=3306 MYSQL_ADMIN_PASSWORD=... scripts/up
        """,
    ).parse_args()
    began = time.monotonic()
    progress = Progress()
    with exclusive(RUN_DIR / "lock", progress):
        system = bring_up(progress)
    code = take_example_order(system, progress)
    for line in _summary(system):
        progress.note(line)
    progress.note(f"up in {time.monotonic() - began:.1f} s")
    return code


if __name__ == "__main__":
    run_verb(main)
