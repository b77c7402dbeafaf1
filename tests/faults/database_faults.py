"""A database that dies, stops, is full, may not be written, or is not heard."""

import asyncio
import functools
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import ExitStack

import pymysql
from pymysql.constants import ER

from local_system.programs import DATABASE
from tests.faults.scene import Scene, Strike, kill
from tests.faults.stage import DATABASE_HOPS
from tests.integration.cutting_proxy import is_statement
from tests.system.databases import Query
from tests.waiting import until
from tests.wires import Fault, Message

FEWEST_CONNECTIONS = 10
"""The least that the server can be told to take."""
RETURN_SECONDS = 60.0


async def _kill(scene: Scene) -> None:
    if kill(await scene.pid_of(DATABASE)):
        scene.struck["database killed"] += 1
    await until(lambda: _answers(scene), "the database is back", RETURN_SECONDS)


async def _freeze(scene: Scene) -> None:
    """Stop the server for 20 s: its connections stand, and nobody answers."""
    pid = await scene.pid_of(DATABASE)
    os.kill(pid, signal.SIGSTOP)
    try:
        await scene.last(20)
    finally:
        os.kill(pid, signal.SIGCONT)
    scene.struck["database stopped for a while"] += 1


async def _fill(scene: Scene) -> None:
    """Leave no connection for the services: theirs are ended, and others take their places."""
    with ExitStack() as held:
        administrator = held.enter_context(await asyncio.to_thread(scene.stage.connect))
        cursor = held.enter_context(administrator.cursor())
        cursor.execute("SELECT @@max_connections")
        usual = cursor.fetchall()[0][0]
        cursor.execute("SET GLOBAL max_connections = %s", FEWEST_CONNECTIONS)
        try:
            cursor.execute("SHOW PROCESSLIST")
            services = [row[0] for row in cursor.fetchall() if "_service" in str(row[1])]
            for connection in services:
                _end(cursor, connection)
            await asyncio.to_thread(_take_all, scene, held)
            scene.struck["database out of connections"] += 1
            await scene.last(15)
        finally:
            cursor.execute("SET GLOBAL max_connections = %s", usual)


def _end(cursor: pymysql.cursors.Cursor, connection: object) -> None:
    try:
        cursor.execute("KILL CONNECTION %s", connection)
    except pymysql.err.OperationalError as error:
        if error.args[0] != ER.NO_SUCH_THREAD:
            raise


def _take_all(scene: Scene, held: ExitStack) -> None:
    for _ in range(FEWEST_CONNECTIONS + 1):
        try:
            held.enter_context(scene.stage.connect())
        except pymysql.err.OperationalError as error:
            if error.args[0] != ER.CON_COUNT_ERROR:
                raise
            return


async def _forbid_writing(scene: Scene) -> None:
    await scene.administer(lambda query: _run(query, "SET GLOBAL read_only = 1"))
    try:
        scene.struck["database read-only"] += 1
        await scene.last(10)
    finally:
        await scene.administer(lambda query: _run(query, "SET GLOBAL read_only = 0"))


def _run(query: Query, statement: str) -> None:
    query(statement)


async def _lose_commits(
    scene: Scene, how: str, then: Callable[[Scene, Message], Awaitable[None]]
) -> None:
    """Let COMMITs be done and their replies not arrive, those of each service, for a while."""

    async def fault(message: Message) -> bool:
        scene.struck[f"reply to COMMIT {how}"] += 1
        await message.deliver()
        await message.reply()
        await then(scene, message)
        return False

    def choose(data: bytes) -> Fault | None:
        hit = is_statement(data, b"COMMIT") and scene.chance.random() < 0.3
        return fault if hit else None

    for hop in DATABASE_HOPS:
        scene.stage.wires[hop].choose = choose
    await scene.last(10)
    for hop in DATABASE_HOPS:
        scene.stage.wires[hop].unset()


async def _hang_up(_scene: Scene, message: Message) -> None:
    await message.hang_up_on_client()


async def _reset(_scene: Scene, message: Message) -> None:
    message.reset_client()


async def _stay_silent(scene: Scene, _message: Message) -> None:
    """Say nothing; in a long run for longer than a service waits for a use of a connection."""
    await scene.last(12)


def _answers(scene: Scene) -> bool:
    try:
        scene.stage.connect().close()
    except pymysql.err.OperationalError:
        return False
    return True


DATABASE_FAULTS = (
    Strike("database killed", _kill),
    Strike("database stopped for a while", _freeze),
    Strike("database out of connections", _fill),
    Strike("database read-only", _forbid_writing),
)

LOST_COMMITS = tuple(
    Strike(f"reply to COMMIT {how}", functools.partial(_lose_commits, how=how, then=then))
    for how, then in (("lost", _hang_up), ("reset", _reset), ("never given", _stay_silent))
)
