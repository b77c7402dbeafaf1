"""Times: UTC, RFC 3339 with ``Z``, to the millisecond.

The database's clock decides about orders and keys; this module only writes and reads moments.
"""

import re
from datetime import UTC, datetime, timedelta

_MILLISECOND = timedelta(milliseconds=1)
_DATE_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d+))?([Zz]|[+-]\d{2}:[0-5]\d)", re.ASCII
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def rfc3339(moment: datetime) -> str:
    """Write a UTC moment without zone, as the database returns it: ``2026-01-31T12:00:00.000Z``.

    Source: RFC 3339, section 5.6.
    """
    return moment.isoformat(timespec="milliseconds") + "Z"


def rfc3339_or_none(moment: datetime | None) -> str | None:
    """Write a moment that may not have come yet."""
    return None if moment is None else rfc3339(moment)


def parse_moment(text: str) -> datetime:
    """Read an RFC 3339 date (its UTC midnight) or date-time as a UTC moment without zone.

    A fraction finer than a millisecond is rounded up: stored moments are whole milliseconds, so
    "from this moment on" and "before this moment" then mean the same as with the exact fraction.

    Raises:
        ValueError: the text is neither, or lies outside the years 1 to 9999.
    """
    try:
        return _date(text) or _date_time(text)
    except (ValueError, OverflowError):
        raise ValueError(f"not an RFC 3339 date or date-time: {text}") from None


def _date(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if _DATE.fullmatch(text) else None


def _date_time(text: str) -> datetime:
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError(text)
    date, time, fraction, offset = match.groups()
    zone = "+00:00" if offset in "Zz" else offset
    moment = datetime.fromisoformat(f"{date}T{time}{zone}").astimezone(UTC)
    return moment.replace(tzinfo=None) + _milliseconds_up(fraction or "")


def _milliseconds_up(fraction: str) -> timedelta:
    whole, rest = fraction[:3].ljust(3, "0"), fraction[3:]
    return (int(whole) + bool(rest.strip("0"))) * _MILLISECOND
