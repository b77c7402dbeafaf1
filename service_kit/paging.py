"""Cursors: where a list goes on, in a form that clients hand back as it is.

A cursor names the last row that was shown, not a number of rows: rows that come and go meanwhile
shift nothing, and a deep page costs what the first one costs.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from service_kit.handlers import LARGEST_ID
from service_kit.problems import ValidationFailed

Row = TypeVar("Row")

DEFAULT_LIMIT = 20
FIRST_PAGE_ID = LARGEST_ID
_EPOCH = datetime(1, 1, 1)  # noqa: DTZ001  # moments of the database are UTC without zone
_MILLISECOND = timedelta(milliseconds=1)
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


def id_cursor(kind: str, row_id: int) -> str:
    """Return the cursor of a list in the order of ids."""
    return _encode(f"{kind}:{row_id}")


def read_id_cursor(kind: str, cursor: str | None) -> int:
    """Return the id below which the page starts.

    Raises:
        ValidationFailed: the cursor is not one of this kind of list.
    """
    if cursor is None:
        return FIRST_PAGE_ID
    (row_id,) = _decode(kind, cursor, parts=1)
    return row_id


def time_cursor(kind: str, moment: datetime, row_id: int) -> str:
    """Return the cursor of a list in the order of moments (UTC, whole milliseconds) and ids."""
    return _encode(f"{kind}:{_milliseconds(moment)}:{row_id}")


def read_time_cursor(kind: str, cursor: str | None) -> tuple[datetime, int] | None:
    """Return the moment and the id below which the page starts; None for the first page.

    Raises:
        ValidationFailed: the cursor is not one of this kind of list.
    """
    if cursor is None:
        return None
    milliseconds, row_id = _decode(kind, cursor, parts=2)
    try:
        return _EPOCH + milliseconds * _MILLISECOND, row_id
    except OverflowError:
        raise _wrong_cursor() from None


def page(
    rows: Sequence[Row],
    limit: int,
    show: Callable[[Row], dict[str, Any]],
    cursor_of: Callable[[Row], str],
) -> dict[str, Any]:
    """Return a list's answer from its rows, of which one more than the limit was asked for."""
    shown = rows[:limit]
    more = len(rows) > limit
    return {
        "data": [show(row) for row in shown],
        "next_cursor": cursor_of(shown[-1]) if more else None,
    }


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


def _encode(position: str) -> str:
    # The checksum keeps no secret: it tells a cursor that was cut off from one that is whole.
    text = f"{position}:{zlib.crc32(position.encode())}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(kind: str, cursor: str, parts: int) -> list[int]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise _wrong_cursor() from None
    position, _, _ = text.rpartition(":")
    found_kind, *numbers = position.split(":")
    sound = found_kind == kind and len(numbers) == parts and all(map(_NUMBER.fullmatch, numbers))
    # A cursor has one spelling: what was not made here is refused, even if it could be read.
    if not sound or _encode(position) != cursor:
        raise _wrong_cursor()
    values = [int(number) for number in numbers]
    if values[-1] > LARGEST_ID:
        raise _wrong_cursor()
    return values


def _wrong_cursor() -> ValidationFailed:
    error = {"pointer": "/cursor", "detail": "is not a next_cursor of this list"}
    return ValidationFailed(errors=[error])
