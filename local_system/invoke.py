"""Sends an order to the orchestrator: the example, or one of your own.

To the emulator for people, as AWS would invoke the function; with --http through the gateway, as an
operator does, with a fresh token. Prints the answer's JSON on standard output.
"""

import json
import os
import sys
from pathlib import Path

from local_system import addresses, example_order, token
from local_system.arguments import parser
from local_system.calls import Answer
from local_system.construction import RUN_DIR
from local_system.failures import LocalSystemError, run_verb
from local_system.locking import exclusive
from local_system.progress import Progress
from local_system.wiring import url
from service_kit.tokens import Role

_TOKEN_SECONDS = 60


def read_event(argument: str | None) -> object:
    """Return the JSON value that the argument gives: itself, ``@file`` or ``-`` for standard input.

    Raises:
        LocalSystemError: it is no JSON, or the file cannot be read.
    """
    if argument is None:
        return example_order.example()
    try:
        if argument == "-":
            text = sys.stdin.read()
        elif argument.startswith("@"):
            text = Path(argument[1:]).read_text(encoding="utf-8")
        else:
            text = argument
        return json.loads(text)
    except OSError as failure:
        raise LocalSystemError(f"cannot read {argument}: {failure}") from failure
    except ValueError as failure:
        raise LocalSystemError(f"that is not JSON: {failure}") from failure


def send(event: object, *, by_http: bool) -> Answer:
    """Send the event to the running system."""
    if by_http:
        settings = token.variables(os.environ)
        operator = token.operator_token(settings, Role.OPERATOR, "scripts/invoke", _TOKEN_SECONDS)
        return example_order.through_gateway(url(addresses.port("GATEWAY_PORT")), operator, event)
    # Two at once would end the emulator: the second waits.
    with exclusive(RUN_DIR / "invoke.lock", Progress()):
        return example_order.to_emulator(url(addresses.port("RIE_PORT")), event)


def main() -> int:
    """Send the order that the command line asks for; 0 if it was confirmed."""
    arguments = parser(
        "invoke",
        __doc__,
        """
        environment: RIE_PORT (9000), GATEWAY_PORT (3000)
        exit code: 0 only if the order was created and confirmed

        examples:
          scripts/invoke                         the example under a fresh key, to the emulator
          scripts/invoke --http                  the same through the gateway
          scripts/invoke '{"customer_id": 1, "items": [{"product_id": 3, "qty": 1}],
                           "idempotency_key": "my-key"}'
          scripts/invoke @event.json             an HTTP event (payload 2.0) is answered as such
          jq -n ... | scripts/invoke --http -
        """,
    )
    arguments.add_argument("event", nargs="?", help="JSON, @file, or - for standard input")
    arguments.add_argument("--http", action="store_true", help="through the gateway")
    given = arguments.parse_args()
    answer = send(read_event(given.event), by_http=given.http)
    sys.stdout.write(example_order.pretty(answer) + "\n")
    return 0 if example_order.succeeded(answer) else 1


if __name__ == "__main__":
    run_verb(main)
