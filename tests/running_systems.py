"""Whole systems beside all others: every process real, on free ports, with fresh secrets."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local_system.construction import temporary_system
from local_system.system import LocalSystem
from tests import database_servers
from tests.apis import token

_TOKEN_VARIABLES = ("JWT_SECRET", "JWT_ISSUER", "JWT_AUDIENCE")


@contextmanager
def running_system(database: str, folder: Path) -> Iterator[LocalSystem]:
    """Start a system on a database of this kind, with the example data; stop it at the end.

    ``database`` is one of `database_servers.available`; ``folder`` is gone afterwards.
    """
    with database_servers.server(database, folder / "database") as server:
        mark = secrets.token_hex(3)
        given = {"MYSQL_DATABASE": f"system_{mark}", "ACCOUNT_SUFFIX": f"_{mark}"}
        started = temporary_system(folder / "run", given, server)
        started.start()
        try:
            yield started
        finally:
            started.stop()
    shutil.rmtree(folder)


def token_of(system: LocalSystem, role: str = "operator", **claims: Any) -> str:
    """Return a token that the system's services accept, unless the claims say otherwise."""
    secret, issuer, audience = (system.values["gateway"][name] for name in _TOKEN_VARIABLES)
    return token(role, secret=secret, iss=issuer, aud=audience, **claims)
