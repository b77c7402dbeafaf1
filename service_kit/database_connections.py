"""What repositories hold: a connection to which they say statements, and which answers plainly."""

from dataclasses import dataclass, field
from typing import Any

from pymysql import err as mysql

from service_kit.database_answers import Result, Row
from service_kit.database_driver import DriverConnection
from service_kit.database_errors import constraint

Statement = tuple[Any, ...]
"""The text of a statement, and its parameters."""


@dataclass(slots=True)
class PutOff:
    """A statement that goes with the next one; ``rows`` are there when the next one's are."""

    text: str
    rows: list[Row] = field(default_factory=list)


class Connection:
    """A connection in somebody's hands: statements with parameters, plain tuples back."""

    def __init__(self, raw: DriverConnection) -> None:
        self._raw = raw
        self._put_off: list[PutOff] = []

    @property
    def is_closed(self) -> bool:
        """Tell whether it was closed: whatever was open on it the server undoes by itself."""
        return bool(self._raw.closed)

    async def execute(self, sql: str, *parameters: Any) -> tuple[int, int]:
        """Run a statement; return the rows that it matched and the id that it made (or 0).

        Raises:
            Duplicate, MissingReference: a constraint refused it.
        """
        (result,) = await self.run((sql, *parameters))
        return result.matched, result.made_id

    async def fetch_one(self, sql: str, *parameters: Any) -> Row | None:
        """Run a query; return its first row, or None."""
        rows = await self.fetch_all(sql, *parameters)
        return rows[0] if rows else None

    async def fetch_all(self, sql: str, *parameters: Any) -> list[Row]:
        """Run a query; return its rows."""
        (result,) = await self.run((sql, *parameters))
        return result.rows

    async def run(self, *statements: Statement) -> list[Result]:
        """Run statements in one exchange, one after another, as far as none fails.

        Raises:
            Duplicate, MissingReference: a constraint refused one.
        """
        return await self._send(
            *(self._raw.written(sql, parameters) for sql, *parameters in statements)
        )

    def put_off(self, sql: str, *parameters: Any) -> PutOff:
        """Send a statement of a transaction together with its next one, or with COMMIT.

        Each exchange with the server costs more than most statements do. What the statement is
        refused with, the next one raises.
        """
        statement = PutOff(self._raw.written(sql, parameters))
        self._put_off.append(statement)
        return statement

    async def commit(self) -> None:
        """End a transaction, with what was put off.

        Raises:
            Duplicate, MissingReference: a constraint refused that, and nothing is committed.
        """
        await self._send("COMMIT")

    async def roll_back(self) -> None:
        """Undo a transaction; what was put off never happens."""
        self._put_off.clear()
        await self._send("ROLLBACK")

    async def _send(self, *written: str) -> list[Result]:
        put_off, self._put_off = self._put_off, []
        try:
            results = await self._raw.run([*(statement.text for statement in put_off), *written])
        except mysql.IntegrityError as error:
            raise constraint(error) from error
        for statement, result in zip(put_off, results, strict=False):
            statement.rows = result.rows
        return results[len(put_off) :]
