from datetime import datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_kit.clock import parse_moment, rfc3339, rfc3339_or_none

NOON = datetime(2026, 1, 31, 12)

WHOLE_MILLISECONDS = st.datetimes().map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NOON, "2026-01-31T12:00:00.000Z"),
        (NOON + timedelta(milliseconds=7), "2026-01-31T12:00:00.007Z"),
        (datetime(1, 1, 1), "0001-01-01T00:00:00.000Z"),
    ],
)
def test_a_moment_is_written_in_utc_to_the_millisecond(moment: datetime, text: str) -> None:
    assert rfc3339(moment) == text
    assert rfc3339_or_none(moment) == text


def test_a_moment_that_has_not_come_is_written_as_none() -> None:
    assert rfc3339_or_none(None) is None


@given(WHOLE_MILLISECONDS)
def test_what_was_written_is_read_as_the_same_moment(moment: datetime) -> None:
    assert parse_moment(rfc3339(moment)) == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31", NOON - timedelta(hours=12)),
        ("2026-01-31T12:00:00Z", NOON),
        ("2026-01-31t12:00:00z", NOON),
        ("2026-01-31T12:00:00-00:00", NOON),
        ("2026-01-31T14:00:00+02:00", NOON),
        ("2026-02-01T11:59:00+23:59", NOON),
        ("2026-01-31T06:30:00-05:30", NOON),
        ("2026-01-31T12:00:00.1Z", NOON + timedelta(milliseconds=100)),
        ("2026-01-31T12:00:00.123000000Z", NOON + timedelta(milliseconds=123)),
        ("2024-02-29", datetime(2024, 2, 29)),
    ],
)
def test_dates_and_date_times_of_rfc_3339_are_read(text: str, moment: datetime) -> None:
    assert parse_moment(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "1769860800",
        "2026",
        "2026-01",
        "20260131",
        "2026-1-31",
        "2026-02-29",
        "2026-13-01",
        "2026-00-10",
        "0000-01-01",
        "10000-01-01",
        "2026-W05-6",
        " 2026-01-31",
        "2026-01-31\n",
        "\u0662\u0660\u0662\u0666-\u0660\u0661-\u0663\u0661",
        "2026-01-31T12:00:00",
        "2026-01-31T12:00Z",
        "2026-01-31T12Z",
        "2026-01-31 12:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T12:60:00Z",
        "2026-01-31T12:00:61Z",
        "2026-01-31T12:00:00,5Z",
        "2026-01-31T12:00:00.Z",
        "2026-01-31T12:00:00+02",
        "2026-01-31T12:00:00+0200",
        "2026-01-31T12:00:00 02:00",
        "2026-01-31T12:00:00+24:00",
        "2026-01-31T12:00:00+01:60",
        "2026-01-31T12:00:00ZZ",
        "9999-12-31T23:59:59.9999Z",
        "9999-12-31T23:59:59-01:00",
        "0001-01-01T00:00:00+01:00",
    ],
)
def test_anything_else_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match="not an RFC 3339 date or date-time"):
        parse_moment(text)


@given(st.integers(0, 999), st.text("0123456789", min_size=1, max_size=12))
def test_a_finer_fraction_asks_for_the_same_stored_moments(stored: int, digits: str) -> None:
    exact = Fraction(int(digits), 10 ** len(digits))

    read = parse_moment(f"2026-01-31T12:00:00.{digits}Z")

    assert (NOON + timedelta(milliseconds=stored) >= read) == (Fraction(stored, 1000) >= exact)
