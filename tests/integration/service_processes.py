"""Services as processes of their own, as they run in earnest: for races that are no pretence."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from local_system.calls import is_healthy
from local_system.ports import free_ports
from local_system.processes import bound_to_parent
from tests.apis import JWT_VARIABLES, SERVICE_TOKEN
from tests.database_servers import TestDatabase
from tests.waiting import wait_until

REPOSITORY = Path(__file__).parent.parent.parent
START_SECONDS = 30
STOP_SECONDS = 15

_COMMON = {**JWT_VARIABLES, "SERVICE_TOKEN": SERVICE_TOKEN, "ACCESS_LOG": "off"}


@dataclass(frozen=True, slots=True)
class Processes:
    """Base URLs: of the Customers API, and of each Orders API."""

    customers: str
    orders: tuple[str, ...]


@contextmanager
def services(
    database: TestDatabase, orders: int, folder: Path, surroundings: Mapping[str, str] | None = None
) -> Iterator[Processes]:
    """Run one Customers API and several Orders APIs on one database.

    ``surroundings`` are variables of all their environments that are none of their settings.
    """
    common = {**_COMMON, **(surroundings or {})}
    customers_port, *orders_ports = free_ports(1 + orders)
    customers_url = f"http://127.0.0.1:{customers_port}"
    orders_urls = tuple(f"http://127.0.0.1:{port}" for port in orders_ports)
    with ExitStack() as running:
        running.enter_context(
            _process(
                "customers_api",
                {**common, "CUSTOMERS_PORT": str(customers_port), **database.customers_variables()},
                folder / "customers.log",
            )
        )
        for port in orders_ports:
            variables = {
                **common,
                "ORDERS_PORT": str(port),
                "CUSTOMERS_API_BASE": customers_url,
                **database.orders_variables(),
            }
            running.enter_context(_process("orders_api", variables, folder / f"orders-{port}.log"))
        for url in (customers_url, *orders_urls):
            wait_until(partial(is_healthy, url), f"{url} to be healthy", START_SECONDS)
        yield Processes(customers_url, orders_urls)


@contextmanager
def _process(module: str, variables: Mapping[str, str], log: Path) -> Iterator[None]:
    with log.open("w") as output:
        process = subprocess.Popen(
            bound_to_parent([sys.executable, "-m", module], "KILL"),
            cwd=REPOSITORY,
            env=dict(variables),
            stdout=output,
            stderr=output,
        )
    try:
        yield
        assert process.poll() is None, f"{module} ended by itself: {log.read_text()}"
    finally:
        process.terminate()
        try:
            code = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
    assert code == 0, f"{module} did not stop cleanly: {log.read_text()}"
