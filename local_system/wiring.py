"""Which environment each program of a system gets.

Later wins: the service's `.env`, then the addresses of this system, then the caller's environment.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local_system.database import DatabaseServer
from local_system.environment import Values
from local_system.ports import ADDRESS, Ports
from local_system.processes import MARK

_PASSED_ON = ("PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""What a program gets of the caller's environment besides its own variables."""


def local_addresses(ports: Ports, database_host: str, database_port: int) -> Values:
    """Return, by folder, the variables that say where everything of this system listens."""
    bind = {"BIND_ADDRESS": ADDRESS}
    database = {"MYSQL_HOST": database_host, "MYSQL_PORT": str(database_port)}
    customers = {"CUSTOMERS_API_BASE": url(ports.customers)}
    orders = {"ORDERS_API_BASE": url(ports.orders)}
    endpoints = ",".join(url(port) for port in ports.emulators)
    return {
        "customers_api": {**bind, **database, "CUSTOMERS_PORT": str(ports.customers)},
        "orders_api": {**bind, **database, **customers, "ORDERS_PORT": str(ports.orders)},
        "orchestrator_image": {**customers, **orders, "RIE_PORT": str(ports.rie)},
        "gateway": {
            **bind,
            **customers,
            **orders,
            "GATEWAY_PORT": str(ports.gateway),
            "LAMBDA_ENDPOINTS": endpoints,
        },
        "db": database,
    }


def url(port: int) -> str:
    """Return the base URL of a port of this system."""
    return f"http://{ADDRESS}:{port}"


@dataclass(frozen=True, slots=True)
class Wiring:
    """Everything that decides about the environments of one system's programs."""

    root: Path
    run_dir: Path
    ports: Ports
    server: DatabaseServer
    values: Values = field(repr=False)
    given: Mapping[str, str] = field(repr=False)

    def environment(self, folder: str) -> dict[str, str]:
        """Return the whole environment of a program of the service in the folder."""
        file = self.values.get(folder, {})
        addresses = local_addresses(self.ports, self.server.host, self.server.port)[folder]
        accounts = self._account(folder)
        own = {**file, **addresses, **accounts}
        return {
            **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            "PYTHONUNBUFFERED": "1",  # a log line is in the log when it is written
            **own,
            **{name: self.given[name] for name in own if name in self.given},
            **self._fixed(folder),
            MARK: str(self.run_dir),
        }

    def _fixed(self, folder: str) -> dict[str, str]:
        """Return what the caller's variables have decided already, through the ports."""
        addresses = local_addresses(self.ports, self.server.host, self.server.port)[folder]
        return {name: value for name, value in addresses.items() if name.endswith("_PORT")}

    def _account(self, folder: str) -> dict[str, str]:
        """Return the service's database account, as `db.migrate` makes it from the same values."""
        if folder == "db":
            return {**self.server.variables(), "ACCOUNT_SUFFIX": self._database("ACCOUNT_SUFFIX")}
        if folder not in {"customers_api", "orders_api"}:
            return {}
        name = folder.removesuffix("_api")
        suffix = self._database("ACCOUNT_SUFFIX")
        return {
            "MYSQL_USER": f"{name}_service{suffix}",
            "MYSQL_PASSWORD": self._database(f"{name.upper()}_MYSQL_PASSWORD"),
        }

    def _database(self, variable: str) -> str:
        return self.given.get(variable) or self.values.get("db", {}).get(variable, "")
