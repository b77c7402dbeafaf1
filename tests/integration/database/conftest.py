"""Pools of connections, on the loop that services run on."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tornado.ioloop import IOLoop

from service_kit.database import Database
from tests.integration.pools import (
    Counters,
    OpenPool,
    Watcher,
    uvloop_as_io_loop,
)


@pytest.fixture
def io_loop() -> Iterator[IOLoop]:
    """Run the tests on the loop that services run on."""
    with uvloop_as_io_loop() as loop:
        yield loop


@pytest.fixture
def open_pool(io_loop: IOLoop, table: Counters, watcher: Watcher) -> Iterator[OpenPool]:
    opened: list[Database] = []

    def start(size: int = 10, port: int | None = None, *, tls: bool = False) -> Database:
        settings = replace(table.settings(size, port), tls=tls)
        opened.append(Database(settings, watcher))
        return opened[-1]

    yield start
    for pool in opened:
        io_loop.run_sync(pool.close)


@pytest.fixture
def pool(open_pool: OpenPool) -> Database:
    return open_pool()


@pytest.fixture
def pool_of_one(open_pool: OpenPool) -> Database:
    return open_pool(size=1)
