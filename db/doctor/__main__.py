"""Checks, read-only, that what the system promises holds in a live database.

All is read from one snapshot, so what happens meanwhile is no contradiction. Says what is wrong,
and since when it can have been so. Exit code 0: all is well; 1: something is wrong; 2: not checked.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from db import commands
from db.accounts import migrator
from db.connection import DatabaseSettings, connect
from db.doctor.books import Books, check_against
from db.doctor.catalogue import CATALOGUE_CHECKS
from db.doctor.findings import Check, Connection
from db.doctor.keys import KEY_CHECKS
from db.doctor.orders import ORDER_CHECKS
from db.doctor.schema import SCHEMA_CHECKS

CHECKS: tuple[Check, ...] = (*SCHEMA_CHECKS, *ORDER_CHECKS, *KEY_CHECKS, *CATALOGUE_CHECKS)

_WELL, _WRONG, _NOT_CHECKED = 0, 1, 2
_EXAMPLES = """
scripts/doctor                      look once
scripts/doctor --books books.json   note the units of each product in the file, if there is none;
                                    else compare: none came or went but by hand
"""


def examine(settings: DatabaseSettings, checks: Sequence[Check] = CHECKS) -> list[str]:
    """Run the checks on one snapshot; return a line for each that found something.

    Raises:
        DatabaseError, pymysql.err.Error: the database cannot be read.
    """
    with snapshot(settings) as connection:
        results = [check.run(connection) for check in checks]
    return [result.line() for result in results if result.count]


@contextmanager
def snapshot(settings: DatabaseSettings) -> Iterator[Connection]:
    """Connect to the database as it is at this moment; nothing can be written."""
    account = migrator(settings)
    with closing(connect(settings, account.name, account.password, settings.database)) as opened:
        with opened.cursor() as cursor:
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            # All terms of a row; by itself the server cuts them off.
            cursor.execute("SET SESSION group_concat_max_len = 1048576, time_zone = '+00:00'")
            cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        yield opened


def _report(settings: DatabaseSettings, books: Path | None) -> int:
    checks = list(CHECKS)
    is_first = books is not None and not books.exists()
    if books is not None and not is_first:
        checks.append(check_against(Books.read(books)))
    wrong = 0
    with snapshot(settings) as connection:
        for check in checks:
            result = check.run(connection)
            print(result.line(), flush=True)
            wrong += bool(result.count)
        if books is not None and is_first:
            Books.of(connection).write(books)
            print(f"the books are noted in {books}")
    print(f"{len(checks)} checks, {wrong} wrong" if wrong else f"{len(checks)} checks, all is well")
    return _WRONG if wrong else _WELL


def main() -> int:
    """Examine the database that the environment names."""
    parser = commands.parser("scripts/doctor", __doc__, _EXAMPLES)
    parser.add_argument("--books", type=Path, metavar="FILE", help="units of each product")
    books: Path | None = parser.parse_args().books
    return commands.run(lambda settings: _report(settings, books), failed=_NOT_CHECKED)


if __name__ == "__main__":
    sys.exit(main())
