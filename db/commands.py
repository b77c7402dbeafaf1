"""What the command lines of this room have in common: manner, settings, failures, signals."""

import argparse
import inspect
import os
import signal
import sys
import textwrap
from collections.abc import Callable
from types import FrameType

import pymysql

from db.connection import DatabaseError, DatabaseSettings
from service_kit.settings import SettingsError

_SETTINGS = """
Settings come from the environment (db/.env.example explains each): MYSQL_HOST, MYSQL_PORT,
MYSQL_DATABASE, MYSQL_ADMIN_USER, MYSQL_ADMIN_PASSWORD, MIGRATOR_MYSQL_PASSWORD,
CUSTOMERS_MYSQL_PASSWORD, ORDERS_MYSQL_PASSWORD, ACCOUNT_SUFFIX, MYSQL_TLS, MYSQL_TLS_CA.
"""


def parser(program: str, description: str | None, examples: str) -> argparse.ArgumentParser:
    """Return a parser whose ``--help`` ends with the settings and examples."""
    return argparse.ArgumentParser(
        prog=program,
        description=description,
        epilog=f"{_SETTINGS}\nexamples:\n{textwrap.indent(inspect.cleandoc(examples), '  ')}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def run(work: Callable[[DatabaseSettings], int], failed: int = 1) -> int:
    """Do the work on the database that the environment names, and return its exit code.

    A failure that was foreseen is one line on standard error, and exit code ``failed``. Whoever is
    told to end (SIGTERM, Ctrl-C, a terminal that closes) cleans up first: passwords lie in files.
    """
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, _leave)
    try:
        code = work(DatabaseSettings.from_environment(os.environ))
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads the output has enough of it: what is left goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except (DatabaseError, SettingsError, OSError, pymysql.err.Error) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return failed
    return code


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
