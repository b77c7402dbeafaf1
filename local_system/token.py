"""Prints a token for the running system, however it was started.

Its secrets are those of the environment, else those that the Customers API runs with here, else
those of customers_api/.env. Every service has the same.
"""

import os
import sys
from collections.abc import Mapping

from local_system import environment
from local_system.arguments import parser
from local_system.construction import ROOT, RUN_DIR
from local_system.failures import LocalSystemError, run_verb
from local_system.programs import CUSTOMERS
from local_system.supervision import Supervisor
from service_kit.settings import Environment, SettingsError
from service_kit.tokens import OperatorTokens, Role

_FOLDER = "customers_api"
_HOUR_SECONDS = 3600


def variables(given: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a service that checks tokens: as it runs here, else as its file says.

    The given ones win: they name the secrets of a system that was started elsewhere.
    """
    supervisor = Supervisor(ROOT, RUN_DIR)
    if supervisor.is_running():
        known = supervisor.environment_of(CUSTOMERS)
    else:
        file = environment.env_file(ROOT, _FOLDER)
        known = environment.read(file) if file.is_file() else {}
    return {**known, **given}


def operator_token(
    settings: Mapping[str, str], role: Role, subject: str, lifetime_seconds: int
) -> str:
    """Sign an operator's JWT with the first secret.

    Raises:
        LocalSystemError: the variables have no sound secret, issuer or audience.
    """
    reader = Environment(settings)
    jwt = reader.jwt()
    _check(reader)
    return OperatorTokens(jwt).issue(subject, role, lifetime_seconds)


def service_token(settings: Mapping[str, str]) -> str:
    """Return the token that services send.

    Raises:
        LocalSystemError: the variables have none.
    """
    reader = Environment(settings)
    tokens = reader.secrets("SERVICE_TOKEN")
    _check(reader)
    return tokens[0]


def _check(reader: Environment) -> None:
    try:
        reader.check()
    except SettingsError as error:
        raise LocalSystemError(
            f"{'; '.join(error.mistakes)}: set it in the environment or in {_FOLDER}/.env, which "
            "scripts/up makes"
        ) from error


def main() -> int:
    """Print the token that the command line asks for, and nothing else, on standard output."""
    arguments = parser(
        "token",
        __doc__,
        """
        examples:
          scripts/token                               an operator's, good for an hour
          scripts/token --role viewer --ttl 60        may only read, for a minute
          scripts/token --service                     what services send each other
          JWT_SECRET=... scripts/token                for a system with another secret
          curl -H "Authorization: Bearer $(scripts/token)" http://127.0.0.1:3000/orders
        """,
    )
    roles = [Role.OPERATOR.value, Role.VIEWER.value]
    arguments.add_argument("--role", choices=roles, default=roles[0])
    arguments.add_argument("--sub", default="local-operator", help="whom the token names")
    arguments.add_argument(
        "--ttl", type=int, default=_HOUR_SECONDS, metavar="SECONDS", help="an hour unless given"
    )
    arguments.add_argument("--service", action="store_true", help="the services' token instead")
    given = arguments.parse_args()
    settings = variables(os.environ)
    if given.service:
        token = service_token(settings)
    else:
        token = operator_token(settings, Role(given.role), given.sub, given.ttl)
    sys.stdout.write(f"{token}\n")
    return 0


if __name__ == "__main__":
    run_verb(main)
