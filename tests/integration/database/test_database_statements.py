"""Statements and transactions: what is done as a whole, what is told of each."""

from typing import Any

import pytest

from service_kit.database import Database
from service_kit.database_answers import Answer, Result
from service_kit.database_connections import Connection
from service_kit.database_errors import Duplicate, MissingReference
from tests.integration.pools import (
    Counters,
    OpenPool,
    Watcher,
    add_one,
    id_of,
)


async def test_a_transaction_is_committed_as_a_whole(pool: Database, table: Counters) -> None:
    one, other = table.add(), table.add()

    async def work(connection: Connection) -> str:
        await add_one(connection, one)
        assert table.value(one) == 0
        await add_one(connection, other)
        return "done"

    assert await pool.transaction(work) == "done"
    assert (table.value(one), table.value(other)) == (1, 1)


async def test_a_transaction_that_raises_is_undone_as_a_whole(
    pool_of_one: Database, table: Counters, counter: int, watcher: Watcher
) -> None:
    async def work(connection: Connection) -> None:
        await add_one(connection, counter)
        raise LookupError

    before = await pool_of_one.read(id_of)
    with pytest.raises(LookupError):
        await pool_of_one.transaction(work)

    assert table.value(counter) == 0
    assert not table.is_locked(counter)
    assert await pool_of_one.read(id_of) == before
    assert (watcher.repeats, watcher.in_use) == ([], 0)


async def test_single_statements_are_transactions_of_their_own(
    pool_of_one: Database, table: Counters, counter: int
) -> None:
    async def work(connection: Connection) -> None:
        await add_one(connection, counter)
        assert table.value(counter) == 1
        assert not table.is_locked(counter)

    await pool_of_one.read(work)


async def test_connections_are_of_the_kind_that_the_services_count_on(pool: Database) -> None:
    async def isolation(connection: Connection) -> str:
        variables: dict[str, str] = dict(await connection.fetch_all("SHOW VARIABLES"))
        # The first name is MySQL's, the second that of MariaDB before 11.1.
        return str(variables.get("transaction_isolation") or variables["tx_isolation"])

    assert await pool.read(isolation) == "READ-COMMITTED"

    async def settings(connection: Connection) -> tuple[Any, ...] | None:
        return await connection.fetch_one(
            "SELECT @@SESSION.innodb_lock_wait_timeout, @@SESSION.time_zone, @@autocommit,"
            " @@SESSION.sql_mode LIKE '%%STRICT_ALL_TABLES%%', @@character_set_connection"
        )

    assert await pool.read(settings) == (5, "+00:00", 1, 1, "utf8mb4")


async def test_a_statement_tells_which_rows_it_matched_even_if_none_changes(
    pool: Database, counter: int
) -> None:
    async def work(connection: Connection) -> list[tuple[int, int]]:
        statement = "UPDATE counters SET value = 7 WHERE id = %s"
        return [await connection.execute(statement, counter) for _ in range(2)]

    assert [matched for matched, _ in await pool.transaction(work)] == [1, 1]


async def test_constraints_that_refuse_are_told_by_name(
    open_pool: OpenPool, table: Counters, counter: int
) -> None:
    table.database.query(
        "CREATE TABLE IF NOT EXISTS parts (counter BIGINT,"
        " CONSTRAINT part_of FOREIGN KEY (counter) REFERENCES counters (id)) ENGINE = InnoDB"
    )
    pool = open_pool()

    with pytest.raises(Duplicate, match="PRIMARY"):
        await pool.transaction(
            lambda connection: connection.execute("INSERT INTO counters VALUES (%s, 1)", counter)
        )
    with pytest.raises(MissingReference, match="part_of"):
        await pool.transaction(
            lambda connection: connection.execute("INSERT INTO parts VALUES (-1)")
        )


async def test_a_key_that_is_taken_is_told_by_its_name_whatever_the_entry_holds(
    pool: Database, table: Counters
) -> None:
    table.database.query(
        "CREATE TABLE IF NOT EXISTS labels (label VARCHAR(50), UNIQUE KEY labels_label (label))"
        " ENGINE = InnoDB"
    )
    label = "o'hara' for key 'another"

    async def work(connection: Connection) -> None:
        for _ in range(2):
            await connection.execute("INSERT INTO labels VALUES (%s)", label)

    with pytest.raises(Duplicate) as raised:
        await pool.transaction(work)

    assert raised.value.key == "labels_label"


@pytest.mark.parametrize("transactional", [True, False])
async def test_answers_that_nobody_could_read_are_read_by_nobody_else(
    pool_of_one: Database, monkeypatch: pytest.MonkeyPatch, *, transactional: bool
) -> None:
    run = pool_of_one.transaction if transactional else pool_of_one.read
    before = await pool_of_one.read(id_of)

    def unreadable(_answer: Answer) -> Result:
        raise ValueError("no moment of any calendar")

    async def work(connection: Connection) -> None:
        monkeypatch.setattr(Answer, "result", unreadable)
        try:
            await connection.run(("SELECT 1",), ("SELECT 2",), ("SELECT 3",))
        finally:
            monkeypatch.undo()

    with pytest.raises(ValueError, match="calendar"):
        await run(work)

    assert await pool_of_one.read(id_of) not in {before, 1, 2, 3}


async def test_a_parameter_is_a_value_whatever_is_in_it(pool: Database) -> None:
    async def work(connection: Connection) -> tuple[Any, ...] | None:
        return await connection.fetch_one("SELECT %s, %s, %s", "' OR 1=1 -- \\ %s", None, 2**62)

    assert await pool.read(work) == ("' OR 1=1 -- \\ %s", None, 2**62)
