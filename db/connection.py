"""Where the database is and how it is reached by whoever sets it up.

Source of the variables: `db/.env.example`.
"""

import re
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

import pymysql
from pymysql.constants import CLIENT, CR

from service_kit.settings import Environment, SettingsError

_NAME = re.compile(r"[A-Za-z0-9_$]{1,64}")
_SUFFIX = re.compile(r"[A-Za-z0-9_]{0,12}")
_CONNECT_SECONDS = 5
_LOCK_SECONDS = 300
_POLL_SECONDS = 0.2
_PING_SECONDS = 20.0


class DatabaseError(Exception):
    """The database cannot be reached or set up; the message is for the operator."""


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """The server, the database on it, and the passwords of everybody who uses it.

    ``account_suffix`` keeps the accounts of several databases on one server apart.
    ``tls_authority`` is a file, or empty for the system's authorities.
    """

    host: str
    port: int
    database: str
    admin_user: str
    admin_password: str = field(repr=False)
    migrator_password: str = field(repr=False)
    customers_password: str = field(repr=False)
    orders_password: str = field(repr=False)
    account_suffix: str = ""
    tls: bool = False
    tls_authority: str = ""

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> "DatabaseSettings":
        """Read the settings.

        Raises:
            SettingsError: variables are missing or wrong; names all of them.
        """
        environment = Environment(variables)
        settings = cls(
            host=environment.text("MYSQL_HOST"),
            port=environment.number("MYSQL_PORT", 3306, minimum=1, maximum=65535),
            database=environment.text("MYSQL_DATABASE", "backoffice"),
            admin_user=environment.text("MYSQL_ADMIN_USER", "root"),
            # An administrator without password is usual on test servers, and said by an empty one.
            admin_password=variables.get("MYSQL_ADMIN_PASSWORD", ""),
            migrator_password=environment.text("MIGRATOR_MYSQL_PASSWORD"),
            customers_password=environment.text("CUSTOMERS_MYSQL_PASSWORD"),
            orders_password=environment.text("ORDERS_MYSQL_PASSWORD"),
            account_suffix=variables.get("ACCOUNT_SUFFIX", "").strip(),
            tls=environment.choice("MYSQL_TLS", "off", ("off", "required")) == "required",
            tls_authority=environment.text("MYSQL_TLS_CA", ""),
        )
        environment.check()
        if not _NAME.fullmatch(settings.database):
            raise SettingsError(["MYSQL_DATABASE must be 1 to 64 letters, digits, _ or $"])
        if not _SUFFIX.fullmatch(settings.account_suffix):
            raise SettingsError(["ACCOUNT_SUFFIX must be at most 12 letters, digits or _"])
        return settings


def connect(
    settings: DatabaseSettings, user: str, password: str, database: str | None = None
) -> "pymysql.Connection[pymysql.cursors.Cursor]":
    """Open a connection that commits each statement and takes several statements at once.

    Raises:
        pymysql.err.OperationalError: the server is away or refuses the account.
        DatabaseError: TLS is required and the server does not encrypt.
    """
    authority = settings.tls_authority or None
    connection = pymysql.connect(
        host=settings.host,
        port=settings.port,
        user=user,
        password=password,
        database=database,
        charset="utf8mb4",
        autocommit=True,
        client_flag=CLIENT.MULTI_STATEMENTS,
        connect_timeout=_CONNECT_SECONDS,
        ssl=ssl.create_default_context(cafile=authority) if settings.tls else None,
    )
    # The driver goes on in plain text, without a word, when the server has no TLS.
    if settings.tls and not _is_encrypted(connection):
        connection.close()
        raise DatabaseError(f"MYSQL_TLS is required, and {settings.host} does not encrypt")
    return connection


@contextmanager
def administrator(
    settings: DatabaseSettings, wait_seconds: float
) -> Iterator["pymysql.Connection[pymysql.cursors.Cursor]"]:
    """Connect as the administrator, as soon as the server answers.

    Raises:
        DatabaseError: it did not answer in time, or refuses the administrator.
    """
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            connection = connect(settings, settings.admin_user, settings.admin_password)
            break
        except pymysql.err.OperationalError as failure:
            code = failure.args[0]
            away = code in {CR.CR_CONN_HOST_ERROR, CR.CR_SERVER_LOST, CR.CR_SERVER_GONE_ERROR}
            if not away or time.monotonic() > deadline:
                raise DatabaseError(
                    f"cannot use the server at {settings.host}:{settings.port} as "
                    f"{settings.admin_user}: {failure.args[-1]}"
                ) from failure
        time.sleep(_POLL_SECONDS)
    with closing(connection):
        yield connection


@contextmanager
def exclusive(
    connection: "pymysql.Connection[pymysql.cursors.Cursor]", database: str
) -> Iterator[None]:
    """Let one process at a time change the database's structure, load first data, or copy it.

    The server frees the lock when the connection ends, however it ends.

    Raises:
        DatabaseError: somebody else held it for five minutes.
    """
    name = _lock_name(database)
    with connection.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK(%s, %s)", (name, _LOCK_SECONDS))
        row = cursor.fetchone()
        if row is None or row[0] != 1:
            raise DatabaseError(
                f"another process (a migration, a backup, a restore, a seed) has held {database}"
                " for 5 minutes: try again when it has ended"
            )
        try:
            yield
        finally:
            # What was done is done, also if the connection, and the lock with it, is gone.
            with suppress(pymysql.err.Error):
                cursor.execute("SELECT RELEASE_LOCK(%s)", (name,))


@contextmanager
def kept_alive(
    connection: "pymysql.Connection[pymysql.cursors.Cursor]", database: str
) -> Iterator[None]:
    """Keep a connection that has ``exclusive`` from idling during a long block.

    The block may not use the connection: a thread does, now and then.

    Raises:
        DatabaseError: at the block's end the lock is lost; somebody else may have had it.
    """
    ended = threading.Event()

    def ping() -> None:
        with suppress(pymysql.err.Error):
            while not ended.wait(_PING_SECONDS):
                connection.ping(reconnect=False)

    thread = threading.Thread(target=ping, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    if not _has_lock(connection, database):
        raise DatabaseError(
            f"the connection that kept others from changing {database} was lost: try again"
        )


def _has_lock(connection: "pymysql.Connection[pymysql.cursors.Cursor]", database: str) -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT IS_USED_LOCK(%s) = CONNECTION_ID()", (_lock_name(database),))
            return cursor.fetchone() == (1,)
    except pymysql.err.Error:
        return False


def _lock_name(database: str) -> str:
    return f"set-up:{database}"[:64]


def is_mariadb(connection: "pymysql.Connection[pymysql.cursors.Cursor]") -> bool:
    """Tell whose server it is: MariaDB's, or MySQL's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        (version,) = cursor.fetchone() or ("",)
    return "MariaDB" in str(version)


def _is_encrypted(connection: "pymysql.Connection[pymysql.cursors.Cursor]") -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SHOW STATUS LIKE 'Ssl_cipher'")
        row = cursor.fetchone()
    return bool(row and row[1])
