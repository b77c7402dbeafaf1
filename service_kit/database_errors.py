"""What the errors of MySQL and MariaDB mean to those who work with a connection."""

import asyncio
import re
from enum import Enum

from pymysql import err as mysql
from pymysql.constants import CR, ER

SNAPSHOT_CONFLICT = 1020  # MariaDB with innodb_snapshot_isolation
GROUP_CONFLICT = 3101  # MySQL Group Replication, at COMMIT
CONFLICTS = frozenset({ER.LOCK_DEADLOCK, ER.LOCK_WAIT_TIMEOUT, SNAPSHOT_CONFLICT, GROUP_CONFLICT})
LOST = frozenset(
    {
        CR.CR_SERVER_GONE_ERROR,
        CR.CR_SERVER_LOST,
        CR.CR_SERVER_LOST_EXTENDED,
        ER.SERVER_SHUTDOWN,
        ER.QUERY_INTERRUPTED,
        1927,  # MariaDB: the connection was killed
        4031,  # MySQL: the client was disconnected because of inactivity
    }
)
# The key comes last in the message, whatever its language; the entry before it may hold quotes.
_LAST_QUOTED = re.compile(r"'([^']*)'[^']*\Z")
UNAVAILABLE = frozenset(
    {
        ER.CON_COUNT_ERROR,
        ER.TOO_MANY_USER_CONNECTIONS,
        ER.USER_LIMIT_REACHED,
        ER.OPTION_PREVENTS_STATEMENT,  # the server is read-only
        1792,  # the transaction is read-only
        1836,  # MySQL: it runs in read-only mode
        ER.UNKNOWN_COM_ERROR,  # Galera: the node is not ready
        ER.DISK_FULL,
        ER.RECORD_FILE_FULL,
        ER.OUTOFMEMORY,
        ER.OUT_OF_SORTMEMORY,
        ER.OUT_OF_RESOURCES,
    }
)


class Meaning(Enum):
    """What is to be done after an error."""

    LOST = "the server went away; whether the last statement was run is not known"
    CONFLICT = "the server undid the transaction, or a statement of it, in favour of another one"
    UNAVAILABLE = "the server cannot do it now"
    OTHER = "a statement of ours was refused, or it is no error of the database"


def meaning(error: BaseException) -> Meaning:
    """Tell what an error means."""
    if _is_lost(error):
        return Meaning.LOST
    if isinstance(error, mysql.MySQLError):
        if number(error) in CONFLICTS:
            return Meaning.CONFLICT
        if number(error) in UNAVAILABLE:
            return Meaning.UNAVAILABLE
    return Meaning.OTHER


def number(error: BaseException | None) -> int | None:
    """Return the server's number of an error, if it has one."""
    first = error.args[0] if error and error.args else None
    return first if isinstance(first, int) else None


class Duplicate(Exception):
    """A row with the same unique key is there (error 1062).

    ``key`` is the key's name, without that of its table, which MySQL says and MariaDB does not;
    empty if the message does not name one.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        quoted = _LAST_QUOTED.search(message)
        self.key = quoted[1].rpartition(".")[2] if quoted else ""


class MissingReference(Exception):
    """The row that a foreign key points to is not there (error 1452)."""


def constraint(error: mysql.IntegrityError) -> Exception:
    """Return a violated constraint by its name, if callers know it."""
    if number(error) == ER.DUP_ENTRY:
        return Duplicate(error.args[1])
    # MySQL says the former where the account may not read the other table.
    if number(error) in {ER.NO_REFERENCED_ROW, ER.NO_REFERENCED_ROW_2}:
        return MissingReference(error.args[1])
    return error


def _is_lost(error: BaseException) -> bool:
    if isinstance(error, mysql.MySQLError):
        return number(error) in LOST or isinstance(error, mysql.InterfaceError)
    if isinstance(error, RuntimeError):
        # So says uvloop where asyncio has a ConnectionResetError: it was reset between statements.
        return "handler is closed" in str(error)
    return isinstance(error, (ConnectionError, asyncio.IncompleteReadError, TimeoutError))
