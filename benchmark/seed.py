"""Adds made-up rows, many of them, to a migrated database: for measuring, and for trying limits."""

import argparse
import os
import sys
import time
from contextlib import closing

import pymysql

from benchmark.loading import load
from db.accounts import migrator
from db.connection import DatabaseError, DatabaseSettings, connect, exclusive
from service_kit.settings import SettingsError


def main() -> int:
    """Load into the database that the environment names (db/.env.example)."""
    parser = argparse.ArgumentParser(prog="python -m benchmark.seed", description=__doc__)
    parser.add_argument("size", type=int, help="customers; a tenth of products, twice the orders")
    size: int = parser.parse_args().size
    began = time.monotonic()
    try:
        settings = DatabaseSettings.from_environment(os.environ)
        account = migrator(settings)
        connection = connect(settings, account.name, account.password, settings.database)
        with closing(connection), exclusive(connection, settings.database):
            loaded = load(connection, size)
    except (DatabaseError, SettingsError, pymysql.err.Error) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    print(
        f"{settings.database} has {len(loaded.customers)} customers, {len(loaded.products)}"
        f" products and {len(loaded.orders)} orders more, in {time.monotonic() - began:.0f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
