"""Several workers on one port: started, replaced, counted together, stopped together."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from local_system.ports import free_ports
from local_system.processes import is_alive
from tests.apis import JWT_VARIABLES, SERVICE_TOKEN, Api
from tests.database_servers import TestDatabase
from tests.waiting import until

REPOSITORY = Path(__file__).parent.parent.parent
WORKERS = 2
COMMAND = [sys.executable, "-m", "customers_api", "--workers", str(WORKERS)]
STOP_SECONDS = 15


def variables(database: TestDatabase, port: int) -> dict[str, str]:
    own = {"SERVICE_TOKEN": SERVICE_TOKEN, "CUSTOMERS_PORT": str(port)}
    return {**JWT_VARIABLES, **own, **database.customers_variables()}


class Workers:
    """A Customers API with two workers, and the process above them."""

    def __init__(self, database: TestDatabase, log: Path) -> None:
        (self.port,) = free_ports(1)
        self.log = log
        with log.open("w") as output:
            self.parent = subprocess.Popen(
                COMMAND,
                cwd=REPOSITORY,
                env=variables(database, self.port),
                stdout=output,
                stderr=output,
            )

    def pids(self) -> list[int]:
        """Return the workers that run now."""
        children = Path(f"/proc/{self.parent.pid}/task/{self.parent.pid}/children")
        return [pid for pid in map(int, children.read_text().split()) if is_alive(pid)]

    def serving(self) -> int:
        """Return how many workers have begun to serve since the start."""
        return self.log.read_text().count('"event":"serving"')

    async def ready(self, started: int = WORKERS) -> None:
        """Wait until so many workers have begun to serve."""
        await until(lambda: self.serving() >= started, "workers serve", seconds=30)

    def is_listening(self) -> bool:
        """Tell whether anybody takes connections on the port."""
        with socket.socket() as connection:
            return connection.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
def workers(database: TestDatabase, tmp_path: Path) -> Iterator[Workers]:
    started = Workers(database, tmp_path / "customers.log")
    yield started
    if started.parent.poll() is None:
        started.parent.terminate()
        started.parent.wait(STOP_SECONDS)


async def test_a_worker_that_is_killed_is_replaced_and_the_other_one_serves_on(
    workers: Workers, session: aiohttp.ClientSession
) -> None:
    await workers.ready()
    first, second = workers.pids()

    os.kill(first, signal.SIGKILL)
    await workers.ready(WORKERS + 1)

    assert first not in workers.pids()
    assert second in workers.pids()
    api = Api(session, f"http://127.0.0.1:{workers.port}")
    assert (await api.get("/customers")).status == 200


async def test_the_metrics_of_all_workers_are_added_up_whoever_answers(workers: Workers) -> None:
    await workers.ready()
    for _ in range(20):
        # A connection each: the kernel deals them out among the workers.
        async with aiohttp.ClientSession() as session:
            await Api(session, f"http://127.0.0.1:{workers.port}").get("/health/live")

    async with aiohttp.ClientSession() as session:
        answer = await Api(session, f"http://127.0.0.1:{workers.port}").get("/metrics")

    counted = re.search(
        rb'^http_requests_total\{method="GET",route="/health/live",status="200"\} (\S+)$',
        answer.body,
        re.MULTILINE,
    )
    assert counted is not None
    assert float(counted[1]) == 20


async def test_told_to_stop_all_end_cleanly(workers: Workers) -> None:
    await workers.ready()
    pids = workers.pids()

    workers.parent.terminate()

    assert workers.parent.wait(STOP_SECONDS) == 0
    assert not any(map(is_alive, pids))
    assert workers.log.read_text().count('"event":"stopped"') == WORKERS


async def test_workers_do_not_outlive_the_process_above_them(workers: Workers) -> None:
    await workers.ready()
    pids = workers.pids()

    workers.parent.kill()
    workers.parent.wait(STOP_SECONDS)

    await until(lambda: not any(map(is_alive, pids)), "the workers end", seconds=20)
    assert not workers.is_listening()


async def test_a_port_that_is_taken_is_one_clear_line(
    workers: Workers, database: TestDatabase
) -> None:
    await workers.ready()

    second = await asyncio.create_subprocess_exec(
        *COMMAND,
        cwd=REPOSITORY,
        env=variables(database, workers.port),
        stderr=asyncio.subprocess.PIPE,
    )
    _, told = await second.communicate()

    assert second.returncode == 1
    assert told.decode().splitlines() == [
        f"customers_api: cannot listen on port {workers.port}: Address already in use"
    ]
