"""Writes the Postman environment of the running system: its addresses, and fresh tokens.

Import the file in Postman or Insomnia, beside postman/backoffice.postman_collection.json. It holds
secrets: only you can read it, and git does not see it. With --run the collection is run here
instead, by newman; other options go to it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from local_system import addresses, token
from local_system.arguments import parser
from local_system.construction import ROOT, RUN_DIR
from local_system.failures import LocalSystemError, run_verb
from local_system.private_files import write_private
from local_system.progress import Progress
from local_system.wiring import url
from service_kit.tokens import Role

COLLECTION = "postman/backoffice.postman_collection.json"
ENVIRONMENT = "postman/local.postman_environment.json"
_WORKING_DAY_SECONDS = 10 * 3600
_SUBJECT = "postman"


def running_values(settings: Mapping[str, str], lifetime_seconds: int) -> dict[str, str]:
    """Return the value of each variable for the running system.

    ``settings`` are the variables of a service that checks tokens.

    Raises:
        LocalSystemError: they have no sound secret, issuer, audience or service token.
    """
    ports = {
        "gateway_url": "GATEWAY_PORT",
        "customers_url": "CUSTOMERS_PORT",
        "orders_url": "ORDERS_PORT",
        "emulator_url": "RIE_PORT",
    }
    roles = {"token": Role.OPERATOR, "viewer_token": Role.VIEWER}
    return {
        **{name: url(addresses.port(variable)) for name, variable in ports.items()},
        **{
            name: token.operator_token(settings, role, _SUBJECT, lifetime_seconds)
            for name, role in roles.items()
        },
        "service_token": token.service_token(settings),
    }


def environment(root: Path, values: Mapping[str, str]) -> dict[str, Any]:
    """Return the committed environment with these values in place of its own.

    Raises:
        LocalSystemError: the two do not name the same variables.
    """
    document: dict[str, Any] = json.loads((root / ENVIRONMENT).read_text(encoding="utf-8"))
    named = {entry["key"] for entry in document["values"]}
    if named != values.keys():
        raise LocalSystemError(
            f"{ENVIRONMENT} names other variables: {sorted(named ^ set(values))}"
        )
    filled = [{**entry, "value": values[entry["key"]]} for entry in document["values"]]
    return {**document, "values": filled}


def newman(
    root: Path, collection: Path, filled: Path, options: Sequence[str], progress: Progress
) -> int:
    """Run a collection in an environment and return newman's exit code, installing it first.

    Raises:
        LocalSystemError: it cannot be installed.
    """
    # Its Node.js is a package for those who test: not there when only the file is asked for.
    from local_system import node_packages  # noqa: PLC0415

    tool = node_packages.tool(root, "newman", progress)
    command = [*tool, "run", str(collection), "--environment", str(filled), *options]
    # All that is called is on this machine: a proxy of the environment is not meant for it. What
    # Node.js thinks of newman's code is no concern of who runs it.
    own = {"NO_PROXY": "*", "NODE_NO_WARNINGS": "1"}
    return subprocess.run(command, env={**os.environ, **own}, check=False).returncode


def main() -> int:
    """Write the environment and print its path, or run the collection in it."""
    arguments = parser(
        "postman",
        __doc__,
        """
        environment: GATEWAY_PORT, CUSTOMERS_PORT, ORDERS_PORT, RIE_PORT, JWT_SECRET ..., for a
        system that was started elsewhere

        examples:
          scripts/postman                             tokens that are good for ten hours
          scripts/postman --run                       every request and its checks
          scripts/postman --run --folder "1. Customer" --folder "2. Product" --folder "3. Order"
                                                      a folder, after those that it says it needs
        """,
    )
    arguments.add_argument("--ttl", type=int, default=_WORKING_DAY_SECONDS, metavar="SECONDS")
    arguments.add_argument("--run", action="store_true", help="run the collection with newman")
    given, rest = arguments.parse_known_args()
    if rest and not given.run:
        arguments.error(f"unrecognized arguments: {' '.join(rest)}")
    filled = RUN_DIR / ENVIRONMENT
    values = running_values(token.variables(os.environ), given.ttl)
    write_private(filled, json.dumps(environment(ROOT, values), indent=2) + "\n")
    if not given.run:
        sys.stdout.write(f"{filled}\n")
        return 0
    return newman(ROOT, ROOT / COLLECTION, filled, rest, Progress())


if __name__ == "__main__":
    run_verb(main)
