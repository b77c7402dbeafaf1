"""The test stand: a whole system of its own, with data, and the floor beside it."""

import dataclasses
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.accounts import Account
from benchmark.loading import Connection, Loaded, load
from db.accounts import migrator
from db.connection import DatabaseSettings, connect
from local_system.construction import temporary_system
from local_system.failures import LocalSystemError
from local_system.ports import free_ports, is_answering
from local_system.processes import bound_to_parent, wait_until
from local_system.programs import CUSTOMERS, DATABASE, ORDERS
from local_system.progress import Progress
from local_system.system import LocalSystem
from local_system.token import operator_token
from service_kit.tokens import Role

_START_SECONDS = 10
_TOKEN_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Stand:
    """A running system, what is in it, and the floor's hello world."""

    system: LocalSystem
    connection: Connection = field(repr=False)
    loaded: Loaded
    token: str = field(repr=False)
    hello_url: str
    hello: Account

    def account(self, program: str) -> Account:
        """Return the account of one of the system's programs."""
        return Account(self.system.supervisor.states()[program].pid)

    def accounts(self) -> dict[str, Account]:
        """Return the accounts of those that serve an API call, by name."""
        return {name: self.account(name) for name in (ORDERS, CUSTOMERS, DATABASE)}


@contextmanager
def stand(
    size: int,
    progress: Progress,
    *,
    workers: int = 1,
    database_memory: int | None = None,
    **variables: str,
) -> Iterator[Stand]:
    """Start a system with ``size`` customers and what belongs to them; end it afterwards.

    Its database is durable as an installation's is; its buffer pool is what an embedded one has
    unless ``database_memory`` gives another number of bytes. The access log is off, everything else
    on; ``variables`` are set in every service that has them.

    Raises:
        LocalSystemError: something did not start.
    """
    with ExitStack() as cleaning:
        # Whoever ends us by SIGTERM does not mean to leave a system behind.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        cleaning.callback(signal.signal, signal.SIGTERM, before)
        folder = Path(cleaning.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        system = dataclasses.replace(
            temporary_system(folder / "run", {"ACCESS_LOG": "off", **variables}),
            is_durable=True,
            workers=workers,
            progress=progress,
        )
        cleaning.callback(system.stop)
        system.start()
        if database_memory is not None:
            _give_memory(system, database_memory)
        connection = cleaning.enter_context(closing(_connect(system)))
        hello_url, hello = cleaning.enter_context(_hello())
        yield Stand(system, connection, load(connection, size), _token(system), hello_url, hello)


def _connect(system: LocalSystem) -> Connection:
    settings = DatabaseSettings.from_environment(system.environment("db"))
    account = migrator(settings)
    return connect(settings, account.name, account.password, settings.database)


def _give_memory(system: LocalSystem, size: int) -> None:
    server = system.server
    settings = DatabaseSettings.from_environment(system.environment("db"))
    with closing(connect(settings, server.admin_user, server.admin_password)) as connection:
        connection.query(f"SET GLOBAL innodb_buffer_pool_size = {size}")


def _token(system: LocalSystem) -> str:
    settings = system.environment("orders_api")
    return operator_token(settings, Role.OPERATOR, "benchmark", _TOKEN_SECONDS)


@contextmanager
def _hello() -> Iterator[tuple[str, Account]]:
    (port,) = free_ports(1)
    command = bound_to_parent([sys.executable, "-m", "benchmark.hello", str(port)], "KILL")
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        try:
            if not wait_until(lambda: is_answering(port), _START_SECONDS):
                raise LocalSystemError("the hello world of the floor did not start")
            yield f"http://127.0.0.1:{port}", Account(process.pid)
        finally:
            process.terminate()
