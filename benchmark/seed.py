"""Adds made-up rows, many of them, to a migrated database: for measuring, and for trying limits."""

import sys
import time
from contextlib import closing

from benchmark.loading import load
from db import commands
from db.accounts import migrator
from db.connection import DatabaseSettings, connect, exclusive

_EXAMPLES = "scripts/seed --size 100000     100,000 customers, 10,000 products, 200,000 orders"


def main() -> int:
    """Load into the database that the environment names (db/.env.example)."""
    parser = commands.parser("scripts/seed", __doc__, _EXAMPLES)
    parser.add_argument(
        "--size",
        type=int,
        required=True,
        metavar="N",
        help="customers; a tenth of products, twice the orders, of 3 items",
    )
    size: int = parser.parse_args().size
    return commands.run(lambda settings: _add(settings, size))


def _add(settings: DatabaseSettings, size: int) -> int:
    began = time.monotonic()
    account = migrator(settings)
    connection = connect(settings, account.name, account.password, settings.database)
    with closing(connection), exclusive(connection, settings.database):
        loaded = load(connection, size)
    print(
        f"{settings.database} has {len(loaded.customers)} customers, {len(loaded.products)}"
        f" products and {len(loaded.orders)} orders more, in {time.monotonic() - began:.0f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
