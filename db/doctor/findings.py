"""What a check finds: a subject, and the moment since when it can have been wrong."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

import pymysql

from service_kit.clock import rfc3339

Connection: TypeAlias = "pymysql.Connection[pymysql.cursors.Cursor]"

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong; ``since`` is UTC without zone, None where no row tells a time."""

    subject: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """An invariant, as a sentence, and what finds the exceptions to it."""

    name: str
    find: Callable[[Connection], Iterable[Finding]]

    def run(self, connection: Connection) -> "Result":
        """Look for exceptions; keep the first few, count all."""
        result = Result(self.name)
        for finding in self.find(connection):
            result.add(finding)
        return result


@dataclass(slots=True)
class Result:
    """What came of a check."""

    name: str
    count: int = 0
    subjects: list[str] = field(default_factory=list)
    since: datetime | None = None

    def add(self, finding: Finding) -> None:
        """Count a finding."""
        self.count += 1
        if len(self.subjects) < _SHOWN:
            self.subjects.append(finding.subject)
        if finding.since is not None:
            self.since = min(finding.since, self.since or finding.since)

    def line(self) -> str:
        """Return the result for a person."""
        if not self.count:
            return f"ok     {self.name}"
        more = "" if self.count == len(self.subjects) else f", and {self.count - _SHOWN} more"
        since = f"; since {rfc3339(self.since)} at the earliest" if self.since else ""
        return f"WRONG  {self.name}: not so for {', '.join(self.subjects)}{more}{since}"


def by_query(name: str, subject: str, query: str) -> Check:
    """Return a check whose query selects the exceptions: what names the row, and a moment."""

    def find(connection: Connection) -> Iterable[Finding]:
        for row_id, since in rows(connection, query):
            yield Finding(f"{subject} {row_id}", since)

    return Check(name, find)


def rows(connection: Connection, query: str, *parameters: object) -> Iterable[tuple[Any, ...]]:
    """Return rows as they come, however many there are."""
    with connection.cursor(pymysql.cursors.SSCursor) as cursor:
        cursor.execute(query, parameters)
        yield from cursor
