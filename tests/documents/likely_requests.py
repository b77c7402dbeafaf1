"""Values with which a random request may succeed, in place of others that fit their schema as well.

Every key random, every second id and e-mail the simplest one: most requests would be refused, and
few answers seen. What does not fit its schema stays as it is; so does one value in four, for the
refusals. Chance is in the requests: here it is only each one's turn.
"""

import itertools
import re
import secrets
import uuid
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from service_kit import paging
from service_kit.problems import ValidationFailed

LONGEST_CURSOR = 200
LONGEST_EMAIL = 254
LONGEST_KEY = 255
FIRST_MOMENT = datetime(2026, 1, 1)
NEWEST = 12
PARAMETERS = {"customer_id": "/customers", "product_id": "/products", "order_id": "/orders"}
"""What takes an id, and where the rows are that have it."""

_KEY = re.compile(rf"[!-~]([ -~]{{0,{LONGEST_KEY - 2}}}[!-~])?")
_SKU = re.compile(r"[A-Za-z0-9._-]{1,64}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_turns = itertools.count()


class Rows:
    """The ids of rows, by the name of the parameter that takes them, as answers named them."""

    def __init__(self, known: Mapping[str, Sequence[int]]) -> None:
        self._ids = {name: dict.fromkeys(known.get(name, [])) for name in PARAMETERS}

    def take_note(self, path: str, answer: Any) -> None:
        """Keep the ids in an answer, whether it is a row or a list of them."""
        for name, collection in PARAMETERS.items():
            if path.startswith(collection):
                rows = answer.get("data", [answer])
                self._ids[name].update((row["id"], None) for row in rows if "id" in row)

    def likely(self, name: str, value: Any) -> Any:
        """Return an id that was named before, mostly; a value that was named stays."""
        named = self._ids[name]
        if type(value) is not int or value < 1 or value in named or not named or _is_left_alone():
            return value
        newest = list(named)[-NEWEST:]
        return newest[next(_turns) % len(newest)]


def new_key(key: Any) -> Any:
    """Return an idempotency key that was not used before."""
    if not isinstance(key, str) or not _KEY.fullmatch(key) or _is_left_alone():
        return key
    unique = uuid.uuid4().hex
    return key[: LONGEST_KEY - len(unique)] + unique


def new_sku(sku: Any) -> Any:
    """Return a SKU that no product has."""
    if not isinstance(sku, str) or not _SKU.fullmatch(sku) or _is_left_alone():
        return sku
    return f"{sku[:50]}{secrets.token_hex(6)}"


def new_email(email: Any) -> Any:
    """Return an address that no customer has; one that is none stays none."""
    if not isinstance(email, str) or not _EMAIL.fullmatch(email) or _is_left_alone():
        return email
    longer = secrets.token_hex(6) + email
    return longer if len(longer) <= LONGEST_EMAIL else email


def any_version(tag: Any) -> Any:
    """Return what every version of a resource matches."""
    return tag if next(_turns) % 2 else "*"


def cursor_of(kind: str, cursor: Any) -> Any:
    """Return the cursor if a list has made it, else one that it could have made.

    A list refuses all others, by their checksum: hardly a page would be seen.
    """
    if not isinstance(cursor, str) or len(cursor) > LONGEST_CURSOR or _is_made_by(kind, cursor):
        return cursor
    row_id = 1 + zlib.crc32(cursor.encode()) % 100
    if kind == "orders":
        return paging.time_cursor(kind, FIRST_MOMENT + timedelta(hours=row_id), row_id)
    return paging.id_cursor(kind, row_id)


def _is_made_by(kind: str, cursor: str) -> bool:
    try:
        if kind == "orders":
            paging.read_time_cursor(kind, cursor)
        else:
            paging.read_id_cursor(kind, cursor)
    except ValidationFailed:
        return False
    return True


def _is_left_alone() -> bool:
    return next(_turns) % 4 == 0
