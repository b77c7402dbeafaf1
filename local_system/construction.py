"""Which system is meant: that of this clone, or a temporary one beside it."""

from collections.abc import Mapping
from pathlib import Path

from local_system import environment, ports
from local_system.database import DatabaseServer
from local_system.environment import Values
from local_system.memory import Memory
from local_system.ports import ADDRESS, Ports
from local_system.progress import Progress
from local_system.supervision import Supervisor
from local_system.system import LocalSystem
from local_system.wiring import local_addresses

ROOT = Path(__file__).resolve().parent.parent
RUN_DIR = ROOT / ".run"

_PORT_PLACES = {
    "CUSTOMERS_PORT": "customers_api",
    "ORDERS_PORT": "orders_api",
    "GATEWAY_PORT": "gateway",
    "RIE_PORT": "orchestrator_image",
    "MYSQL_PORT": "db",
}


def clone_system(given: Mapping[str, str], progress: Progress) -> LocalSystem:
    """Return the system of this clone: as it runs, or as it would be started now.

    ``given`` are the caller's environment variables.

    Raises:
        LocalSystemError: the `.env` files or the given variables do not fit together.
    """
    values = environment.read_all(ROOT)
    environment.check_agreement(values)
    memory = Memory.read(RUN_DIR)
    if memory is not None and Supervisor(ROOT, RUN_DIR).is_running():
        chosen, is_embedded = memory.ports, memory.is_embedded
        host, port = memory.database_host, memory.database_port
    else:
        host = given.get("MYSQL_HOST") or values.get("db", {}).get("MYSQL_HOST", "")
        is_embedded = not host
        chosen = ports.choose(
            given, _named_ports(values), memory.ports if memory else None, is_embedded=is_embedded
        )
        port = chosen.mysql
    return LocalSystem(
        root=ROOT,
        run_dir=RUN_DIR,
        ports=chosen,
        server=_server(host or ADDRESS, port, {**values.get("db", {}), **given}),
        values=values,
        given=given,
        is_embedded=is_embedded,
        progress=progress,
    )


def temporary_system(
    run_dir: Path,
    given: Mapping[str, str] | None = None,
    server: DatabaseServer | None = None,
) -> LocalSystem:
    """Return a new system beside all others: own folder, free ports, fresh secrets.

    No `.env` file is read or written. ``given`` sets variables in every service that has them.
    Without a ``server`` the system gets an embedded one, which is not durable; with one, give a
    MYSQL_DATABASE and an ACCOUNT_SUFFIX of its own.
    """
    free = Ports.free()
    own = server or DatabaseServer(ADDRESS, free.mysql, "root", "temporary")
    return LocalSystem(
        root=ROOT,
        run_dir=run_dir.resolve(),
        ports=free,
        server=own,
        values=environment.fresh(ROOT, local_addresses(free, own.host, own.port), {}),
        given=given or {},
        is_embedded=server is None,
        is_durable=False,
    )


def _server(host: str, port: int, variables: Mapping[str, str]) -> DatabaseServer:
    user = variables.get("MYSQL_ADMIN_USER") or "root"
    return DatabaseServer(host, port, user, variables.get("MYSQL_ADMIN_PASSWORD", ""))


def _named_ports(values: Values) -> dict[str, str]:
    """Return the ports that the `.env` files name."""
    return {name: values.get(folder, {}).get(name, "") for name, folder in _PORT_PLACES.items()}
