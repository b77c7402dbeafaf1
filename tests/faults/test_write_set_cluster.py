"""A database of three nodes that all take writes, and that undo each other's transactions."""

import asyncio
import functools
from collections.abc import Iterator
from dataclasses import replace

import pymysql
import pytest
import uvloop

from local_system.database import DatabaseServer
from local_system.failures import LocalSystemError
from service_kit.database import Database
from service_kit.database_connections import Connection
from tests.database_servers import TestDatabase, create_database
from tests.faults.conftest import Break
from tests.faults.galera import Cluster, find_or_install_provider, running_cluster
from tests.faults.scene import Scene, Strike
from tests.faults.stage import DATABASE, DATABASE_HOPS, Stage, running_stage
from tests.integration.pools import Watcher, add_one, counters
from tests.waiting import until

AWAY_SECONDS = 15
ADD_TEN = "UPDATE counters SET value = value + 10 WHERE id = %s"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    try:
        find_or_install_provider(folder / "apt.log")
    except LocalSystemError as failure:
        pytest.skip(str(failure))
    with running_cluster(folder) as running:
        yield running


@pytest.fixture(scope="module")
def clustered_stage(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("clustered")
    with running_stage(folder, DATABASE_HOPS, cluster.servers) as running:
        yield running


def test_a_transaction_that_another_node_undoes_between_its_statements_is_run_again(
    cluster: Cluster,
) -> None:
    first, second, _ = cluster.servers
    with counters(create_database(first)) as table:
        mine, others = table.add(), table.add()
        there = TestDatabase(replace(table.database.admin, port=second.port))
        watcher = Watcher()
        cluster.level()

        async def work(connection: Connection) -> None:
            await add_one(connection, mine)
            if not watcher.repeats:
                connection.put_off("DO SLEEP(1)")
            await add_one(connection, others)

        async def both() -> None:
            pool = Database(table.settings(1, None), watcher)
            transaction = asyncio.create_task(pool.transaction(work))
            await until(lambda: table.is_locked(mine), "the first statement to be done")
            await asyncio.to_thread(there.query, ADD_TEN, mine)
            await transaction
            await pool.close()

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(both())
        assert watcher.repeats == ["conflict"]
        assert (table.value(mine), table.value(others)) == (11, 1)


def test_orders_spread_over_a_cluster_of_which_a_node_dies_and_comes_back(
    clustered_stage: Stage, cluster: Cluster, break_it: Break
) -> None:
    strike = Strike("node killed", functools.partial(_kill_and_rejoin, cluster=cluster))
    report = break_it(clustered_stage, "write-set cluster", (strike,))

    assert report.struck["node killed"] >= 1
    first, *others = [_checksums(server) for server in cluster.servers]
    assert len(first) > 1
    assert all(other == first for other in others)


async def _kill_and_rejoin(scene: Scene, cluster: Cluster) -> None:
    undone = "transactions undone for another node's"
    count = await asyncio.to_thread(cluster.conflicts)
    scene.struck[undone] = max(scene.struck[undone], count)
    node = scene.chance.choice(cluster.nodes)
    await asyncio.to_thread(node.kill)
    scene.struck["node killed"] += 1
    await scene.last(AWAY_SECONDS)
    await asyncio.to_thread(node.rejoin)
    await asyncio.to_thread(cluster.wait_until_ready)


def _checksums(server: DatabaseServer) -> dict[str, int]:
    """Return a number for all rows of each table, as a node has them."""
    with (
        pymysql.connect(
            host=server.host,
            port=server.port,
            user=server.admin_user,
            password=server.admin_password,
            database=DATABASE,
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SHOW TABLES")
        tables = ", ".join(f"`{name}`" for (name,) in cursor.fetchall())
        cursor.execute(f"CHECKSUM TABLE {tables}")
        return {str(name): int(number) for name, number in cursor.fetchall()}
