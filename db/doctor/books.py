"""Units of stock from one day to another.

The database keeps what is left of a product and what its orders hold, but not what an operator
added or took away by hand. So books are noted in a file: of each product the units, left and held,
and its changes. Later, a product whose every change was an order's must have the same units.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from db.connection import DatabaseError
from db.doctor.findings import Check, Connection, Finding, rows
from db.whole_files import whole_file

_UNITS = (
    "SELECT products.id, version, stock + COALESCE(held, 0), COALESCE(moves, 0) FROM products"
    " LEFT JOIN (SELECT product_id, SUM(CASE WHEN canceled_at IS NULL THEN qty END) AS held,"
    " COUNT(*) + SUM(canceled_at IS NOT NULL) AS moves FROM order_items"
    " JOIN orders ON orders.id = order_id GROUP BY product_id) AS sold"
    " ON product_id = products.id"
)


@dataclass(frozen=True, slots=True)
class Account:
    """One product's: ``units`` are left or in living orders, ``moves`` are changes by orders."""

    version: int
    units: int
    moves: int


@dataclass(frozen=True, slots=True)
class Books:
    """All accounts at a moment (UTC, no zone)."""

    noted_at: datetime
    accounts: dict[int, Account]

    @classmethod
    def of(cls, connection: Connection) -> "Books":
        """Return the books of the snapshot."""
        ((moment,),) = rows(connection, "SELECT UTC_TIMESTAMP(3)")
        accounts = {
            product_id: Account(*map(int, numbers))
            for product_id, *numbers in rows(connection, _UNITS)
        }
        return cls(moment, accounts)

    @classmethod
    def read(cls, file: Path) -> "Books":
        """Return the books that a file holds.

        Raises:
            DatabaseError: it holds none.
        """
        try:
            value = json.loads(file.read_text("utf-8"))
            moment = datetime.fromisoformat(value["noted_at"]).astimezone(UTC)
            accounts = {int(key): Account(**account) for key, account in value["products"].items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DatabaseError(f"{file} holds no books") from error
        return cls(moment.replace(tzinfo=None), accounts)

    def write(self, file: Path) -> None:
        """Write the books to a file that is not there yet: all of them, or none."""
        accounts = {key: asdict(account) for key, account in self.accounts.items()}
        value = {"noted_at": f"{self.noted_at.isoformat()}Z", "products": accounts}
        with whole_file(file) as opened:
            opened.write(json.dumps(value, indent=1).encode())


def check_against(then: Books) -> Check:
    """Return the check that units are as they were, where orders alone moved them."""

    def find(connection: Connection) -> Iterable[Finding]:
        now = Books.of(connection)
        for product_id, old in then.accounts.items():
            new = now.accounts.get(product_id)
            if new is None:
                yield Finding(f"product {product_id} (gone)", then.noted_at)
                continue
            was_adjusted = new.version - old.version > new.moves - old.moves
            if not was_adjusted and new.units != old.units:
                change = f"{old.units} units then, {new.units} now"
                yield Finding(f"product {product_id} ({change})", then.noted_at)

    name = "stock and living orders hold the units noted in the books, adjusted products aside"
    return Check(name, find)
