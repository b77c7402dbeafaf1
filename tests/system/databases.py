"""What the administrator sees in the database of a running system."""

from collections.abc import Callable

import pymysql

from local_system.system import LocalSystem

Query = Callable[..., list[tuple[object, ...]]]
"""Takes a statement and its parameters."""


def query(system: LocalSystem, sql: str, *parameters: object) -> list[tuple[object, ...]]:
    """Run one statement; return its rows."""
    with (
        pymysql.connect(
            host=system.server.host,
            port=system.server.port,
            user=system.server.admin_user,
            password=system.server.admin_password,
            database=system.given["MYSQL_DATABASE"],
            autocommit=True,
            charset="utf8mb4",
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
