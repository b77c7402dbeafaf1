"""The wire to the database: servers that are mute or strange, replies that get lost, TLS."""

import asyncio
import socket
import ssl
import struct
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from service_kit import database as kit
from service_kit import database_driver as driver
from service_kit.database import Database
from service_kit.database_connections import Connection
from service_kit.problems import Busy
from tests.database_servers import TestDatabase
from tests.integration.cutting_proxy import Cut, CuttingProxy
from tests.integration.pools import (
    Counters,
    OpenPool,
    Watcher,
    add_one,
    id_of,
    ids_of_all,
)
from tests.waiting import until

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

CLIENT_SSL = 0x0800
GREETING_UP_TO_CAPABILITIES = 4 + 8 + 1  # thread id, first part of the scramble, a zero byte


@pytest.fixture
def proxy(io_loop: IOLoop, database: TestDatabase) -> Iterator[CuttingProxy]:
    opened = CuttingProxy(database.admin.host, database.admin.port)
    io_loop.run_sync(opened.open)
    yield opened
    opened.let_through.set()
    io_loop.run_sync(opened.close)


@pytest.fixture
def pool(open_pool: OpenPool, proxy: CuttingProxy) -> Database:
    """Return a pool whose wire can be cut."""
    return open_pool(size=1, port=proxy.own_port)


@dataclass(slots=True)
class Adder:
    """Adds 1 to a counter, and counts how often it was told to."""

    counter: int
    attempts: int = field(default=0)

    async def __call__(self, connection: Connection) -> None:
        self.attempts += 1
        await add_one(connection, self.counter)


async def test_a_commit_whose_reply_is_lost_is_not_repeated(
    pool: Database, proxy: CuttingProxy, table: Counters, counter: int, watcher: Watcher
) -> None:
    work = Adder(counter)
    await pool.ping()
    proxy.at("COMMIT", Cut.AFTER)

    with pytest.raises(Busy):
        await pool.transaction(work)

    assert (work.attempts, table.value(counter)) == (1, 1)
    assert (watcher.repeats, watcher.in_use) == ([], 0)


async def test_a_commit_that_may_have_got_lost_itself_is_not_repeated_either(
    pool: Database, proxy: CuttingProxy, table: Counters, counter: int
) -> None:
    work = Adder(counter)
    await pool.ping()
    proxy.at("COMMIT", Cut.BEFORE)

    with pytest.raises(Busy):
        await pool.transaction(work)

    assert (work.attempts, table.value(counter)) == (1, 0)


@pytest.mark.parametrize("cut", [Cut.BEFORE, Cut.AFTER])
@pytest.mark.parametrize("statement", ["BEGIN", "UPDATE"])
async def test_what_is_lost_before_the_commit_is_repeated(
    pool: Database,
    proxy: CuttingProxy,
    table: Counters,
    counter: int,
    watcher: Watcher,
    statement: str,
    cut: Cut,
) -> None:
    work = Adder(counter)
    await pool.ping()
    proxy.at(statement, cut)

    await pool.transaction(work)

    assert proxy.reached.is_set()
    assert table.value(counter) == 1
    assert (watcher.repeats, watcher.in_use) == (["lost_connection"], 0)


async def test_a_server_that_falls_silent_is_not_waited_for_without_end(
    pool: Database,
    proxy: CuttingProxy,
    table: Counters,
    counter: int,
    watcher: Watcher,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kit, "USE_SECONDS", 0.2)
    work = Adder(counter)
    await pool.ping()
    proxy.at("UPDATE", Cut.MUTE)

    started = time.monotonic()
    with pytest.raises(Busy):
        await pool.transaction(work)

    assert time.monotonic() - started < 5
    assert (work.attempts, watcher.in_use) == (1, 0)
    proxy.let_through.set()
    await pool.transaction(work)
    assert table.value(counter) == 1


@dataclass(slots=True)
class Resets:
    """A wire that can be torn off, so that the service hears of it by a reset and not by an end."""

    host: str
    port: int
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    wires: set["asyncio.Task[None] | None"] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.wires.add(asyncio.current_task())
        from_server, to_server = await asyncio.open_connection(self.host, self.port)
        self.writers += [writer, to_server]
        back = asyncio.create_task(_pass_on(from_server, writer))
        await _pass_on(reader, to_server)
        await back

    async def close(self) -> None:
        for writer in self.writers:
            writer.close()
        await asyncio.gather(*filter(None, self.wires))

    def reset(self) -> None:
        """Tear all wires off."""
        for writer in self.writers:
            opened = writer.get_extra_info("socket")
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        self.writers.clear()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.close()


@pytest.fixture
def torn(io_loop: IOLoop, database: TestDatabase) -> Iterator[tuple[Resets, int]]:
    """Return a wire that can be torn off, and its port."""
    wire = Resets(database.admin.host, database.admin.port)
    server = io_loop.run_sync(lambda: asyncio.start_server(wire.serve, "127.0.0.1", 0))
    yield wire, server.sockets[0].getsockname()[1]
    server.close()
    io_loop.run_sync(wire.close)


async def test_idle_connections_that_were_reset_are_replaced_unseen(
    open_pool: OpenPool, torn: tuple[Resets, int], watcher: Watcher
) -> None:
    wire, port = torn
    pool = open_pool(size=3, port=port)
    ids = await ids_of_all(pool, 3)
    wire.reset()
    await until(lambda: not any(raw.is_usable for raw in pool._idle), "the pool hears of it")

    fresh = await ids_of_all(pool, 3)

    assert not set(ids) & set(fresh)
    assert (watcher.repeats, watcher.in_use) == ([], 0)


async def test_a_pool_whose_connections_were_reset_is_closed_without_ado(
    open_pool: OpenPool, torn: tuple[Resets, int]
) -> None:
    wire, port = torn
    pool = open_pool(size=3, port=port)
    await ids_of_all(pool, 3)
    wire.reset()
    await until(lambda: not any(raw.is_usable for raw in pool._idle), "the pool hears of it")

    await pool.close()


async def test_a_transaction_whose_connection_is_reset_between_statements_is_run_again(
    open_pool: OpenPool,
    torn: tuple[Resets, int],
    table: Counters,
    counter: int,
    watcher: Watcher,
) -> None:
    wire, port = torn
    attempts = 0

    async def work(connection: Connection) -> None:
        nonlocal attempts
        attempts += 1
        await add_one(connection, counter)
        if attempts == 1:
            wire.reset()
            await until(connection._raw._writer.is_closing, "the connection hears of it")
        await add_one(connection, counter)

    await open_pool(size=1, port=port).transaction(work)

    assert (attempts, table.value(counter)) == (2, 2)
    assert (watcher.repeats, watcher.in_use) == (["lost_connection"], 0)


async def mute(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def hangs_up(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    pass


async def speaks_http(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


async def is_full(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    message = b"\xff\x10\x04#08004Too many connections"
    writer.write(len(message).to_bytes(3, "little") + b"\x00" + message)
    await reader.read()


async def greets_and_falls_silent(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    writer.write(b"\x4a\x00\x00\x00\x0a8.0.0")
    await reader.read()


@pytest.mark.parametrize("answer", [mute, hangs_up, speaks_http, is_full, greets_and_falls_silent])
async def test_a_server_that_does_not_let_in_is_busy_in_time(
    open_pool: OpenPool, watcher: Watcher, monkeypatch: pytest.MonkeyPatch, answer: Serve
) -> None:
    monkeypatch.setattr(driver, "CONNECT_SECONDS", 0.2)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await answer(reader, writer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        pool = open_pool(size=1, port=server.sockets[0].getsockname()[1])
        started = time.monotonic()

        # One after the other on a pool of one: none of them keeps the place.
        for _ in range(2):
            with pytest.raises(Busy):
                await pool.ping()

        assert time.monotonic() - started < 2
        assert watcher.in_use == 0


async def test_where_nobody_listens_the_database_is_busy(open_pool: OpenPool) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))

        with pytest.raises(Busy):
            await open_pool(size=1, port=taken.getsockname()[1]).ping()


async def test_a_wrong_password_is_busy_and_not_told(table: Counters, watcher: Watcher) -> None:
    settings = replace(table.settings(1, None), password="a-wrong-password")

    with pytest.raises(Busy) as refusal:
        await Database(settings, watcher).ping()

    assert settings.user not in refusal.value.detail


async def test_who_waits_while_another_connects_gets_the_connection_that_is_free(
    table: Counters, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = Database(table.settings(2, None), watcher)
    first = await pool.read(id_of)
    connects = asyncio.Event()

    async def never(_pool: Database) -> None:
        connects.set()
        await asyncio.Event().wait()

    holds, release = asyncio.Event(), asyncio.Event()

    async def hold(_connection: Connection) -> None:
        holds.set()
        await release.wait()

    holder = asyncio.create_task(pool.read(hold))
    await holds.wait()
    monkeypatch.setattr(Database, "_connect", never)
    slow = asyncio.create_task(pool.read(id_of))
    await connects.wait()
    release.set()
    await holder

    assert await pool.read(id_of) == first

    slow.cancel()
    with suppress(asyncio.CancelledError):
        await slow
    await pool.close()


@dataclass(slots=True)
class WithoutTls:
    """A wire on which the server's greeting offers no TLS, and all that is said is heard."""

    host: str
    port: int
    heard: bytearray = field(default_factory=bytearray)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection(self.host, self.port)
        header = await from_server.readexactly(4)
        greeting = bytearray(await from_server.readexactly(int.from_bytes(header[:3], "little")))
        place = greeting.index(0) + 1 + GREETING_UP_TO_CAPABILITIES
        capabilities = int.from_bytes(greeting[place : place + 2], "little") & ~CLIENT_SSL
        greeting[place : place + 2] = capabilities.to_bytes(2, "little")
        writer.write(header + greeting)
        back = asyncio.create_task(self._pass_back(from_server, writer))
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                self.heard += data
                to_server.write(data)
        to_server.close()
        await back
        writer.close()

    @staticmethod
    async def _pass_back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)


async def test_where_tls_is_required_nothing_is_said_to_a_server_without_it(
    open_pool: OpenPool, table: Counters
) -> None:
    admin = table.database.admin
    wire = WithoutTls(admin.host, admin.port)
    async with await asyncio.start_server(wire.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]

        with pytest.raises(Busy):
            await open_pool(size=1, port=port, tls=True).ping()
        assert bytes(wire.heard) == b""

        in_plain_text = open_pool(size=1, port=port)
        await in_plain_text.ping()
        assert b"SELECT 1" in wire.heard
        await in_plain_text.close()


@pytest.fixture
def certified(table: Counters) -> TestDatabase:
    """Return the database of a server that has a certificate, if only one of its own making."""
    if not table.database.query("SHOW STATUS LIKE 'Ssl_server_not_after'")[0][1]:
        pytest.skip("this server has no certificate")
    return table.database


async def test_where_tls_is_required_a_server_of_an_unknown_authority_is_not_believed(
    open_pool: OpenPool, certified: TestDatabase
) -> None:
    with pytest.raises(Busy):
        await open_pool(size=1, port=certified.admin.port, tls=True).ping()


async def test_where_tls_is_required_all_is_encrypted(
    open_pool: OpenPool,
    certified: TestDatabase,
    table: Counters,
    counter: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    believing_anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    believing_anybody.check_hostname = False
    believing_anybody.verify_mode = ssl.CERT_NONE
    monkeypatch.setattr(kit, "tls_context", lambda _settings: believing_anybody)
    pool = open_pool(size=1, port=certified.admin.port, tls=True)

    async def cipher(connection: Connection) -> list[tuple[Any, ...]]:
        return await connection.fetch_all("SHOW STATUS LIKE 'Ssl_cipher'")

    ((name, used),) = await pool.read(cipher)
    assert (name, bool(used)) == ("Ssl_cipher", True)
    await pool.transaction(Adder(counter))
    assert table.value(counter) == 1

    # Saying good-bye takes TLS a round trip, which a loop about to be closed would not wait for.
    wire = pool._idle[0].wire
    await pool.close()
    await until(lambda: wire._trouble is not None, "the connection is gone")
