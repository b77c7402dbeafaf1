"""Who may do what in the database: one account for each service, one for the migrations.

A service may touch its own tables alone, and only as its code does: a statement that a service has
no need of (such as deleting an order) is refused by the server, whatever got into the service.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pymysql

from db.connection import DatabaseSettings

MIGRATOR = "backoffice_migrator"
CUSTOMERS = "customers_service"
ORDERS = "orders_service"

GRANTS: Mapping[str, Mapping[str, frozenset[str]]] = {
    CUSTOMERS: {
        # Deleted customers stay, marked: no DELETE.
        "customers": frozenset({"SELECT", "INSERT", "UPDATE"}),
        "customer_terms": frozenset({"SELECT", "INSERT", "DELETE"}),
    },
    ORDERS: {
        "products": frozenset({"SELECT", "INSERT", "UPDATE"}),
        "product_terms": frozenset({"SELECT", "INSERT", "DELETE"}),
        "orders": frozenset({"SELECT", "INSERT", "UPDATE"}),
        # What was sold, and for how much, never changes.
        "order_items": frozenset({"SELECT", "INSERT"}),
        # Expired keys are purged; a stored response is never rewritten.
        "idempotency_keys": frozenset({"SELECT", "INSERT", "DELETE"}),
    },
}

# From any host: in containers the services' addresses are not known beforehand. Reaching the
# server at all is the network's affair.
_HOST = "%"


@dataclass(frozen=True, slots=True)
class Account:
    """A database user and its rights: privileges by table."""

    name: str
    password: str = field(repr=False)
    tables: Mapping[str, frozenset[str]]


def service_accounts(settings: DatabaseSettings) -> list[Account]:
    """Return the services' accounts, named for this database."""
    passwords = {CUSTOMERS: settings.customers_password, ORDERS: settings.orders_password}
    return [
        Account(name + settings.account_suffix, passwords[name], tables)
        for name, tables in GRANTS.items()
    ]


def migrator(settings: DatabaseSettings) -> Account:
    """Return the account that runs the migrations."""
    return Account(MIGRATOR + settings.account_suffix, settings.migrator_password, {})


def create_accounts(cursor: pymysql.cursors.Cursor, settings: DatabaseSettings) -> None:
    """Create every account that is missing and set every password; safe to run again."""
    owner = migrator(settings)
    for account in (owner, *service_accounts(settings)):
        login = (account.name, _HOST, account.password)
        cursor.execute("CREATE USER IF NOT EXISTS %s@%s IDENTIFIED BY %s", login)
        cursor.execute("ALTER USER %s@%s IDENTIFIED BY %s", login)
    # In a grant on a whole database, _ and % in its name stand for other characters.
    pattern = settings.database.replace("_", r"\_")
    cursor.execute(f"GRANT ALL PRIVILEGES ON `{pattern}`.* TO %s@%s", (owner.name, _HOST))


def grant_tables(cursor: pymysql.cursors.Cursor, settings: DatabaseSettings) -> None:
    """Give the services the rights on their tables, and take those that they should not have.

    Rights that stay are never taken in between: the services may be at work.
    """
    for account in service_accounts(settings):
        for table, wanted in account.tables.items():
            rights = ", ".join(sorted(wanted))
            cursor.execute(
                f"GRANT {rights} ON `{settings.database}`.`{table}` TO %s@%s",
                (account.name, _HOST),
            )
        for table, right in _held(cursor, settings.database, account.name):
            if right not in account.tables.get(table, frozenset()):
                cursor.execute(
                    f"REVOKE {right} ON `{settings.database}`.`{table}` FROM %s@%s",
                    (account.name, _HOST),
                )


def _held(cursor: pymysql.cursors.Cursor, database: str, account: str) -> list[tuple[str, str]]:
    cursor.execute(
        "SELECT table_name, privilege_type FROM information_schema.table_privileges"
        " WHERE table_schema = %s AND grantee = %s",
        (database, f"'{account}'@'{_HOST}'"),
    )
    return [(str(table), str(right)) for table, right in cursor.fetchall()]
