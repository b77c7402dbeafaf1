import base64
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_kit import paging
from service_kit.problems import ValidationFailed

LARGEST_ID = 2**63 - 1
IDS = st.integers(0, LARGEST_ID)
MOMENTS = st.datetimes().map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)
MOMENT = datetime(2026, 1, 31, 12)


def as_cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@given(IDS)
def test_a_cursor_of_ids_leads_back_to_its_row(row_id: int) -> None:
    assert paging.read_id_cursor("customers", paging.id_cursor("customers", row_id)) == row_id


@given(MOMENTS, IDS)
def test_a_cursor_of_times_leads_back_to_its_row(moment: datetime, row_id: int) -> None:
    cursor = paging.time_cursor("orders", moment, row_id)

    assert paging.read_time_cursor("orders", cursor) == (moment, row_id)


@given(MOMENTS, IDS)
def test_a_cursor_needs_no_escaping_in_an_address_and_fits_its_schema(
    moment: datetime, row_id: int
) -> None:
    cursor = paging.time_cursor("products", moment, row_id)

    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert len(cursor) <= 200


def test_the_first_page_starts_above_every_row() -> None:
    assert paging.read_id_cursor("customers", None) == LARGEST_ID
    assert paging.read_time_cursor("orders", None) is None


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        " ",
        "0",
        "=",
        "abc",
        "*****",
        "é",
        "\x00",
        as_cursor(""),
        as_cursor("customers"),
        as_cursor("customers:"),
        as_cursor("customers:-1"),
        as_cursor("customers:+1"),
        as_cursor("customers:01"),
        as_cursor("customers:1.0"),
        as_cursor("customers: 1"),
        as_cursor("customers:1\n"),
        as_cursor("customers:\u0661"),
        as_cursor("customers:1:2"),
        as_cursor("Customers:1"),
        as_cursor(f"customers:{LARGEST_ID + 1}"),
        as_cursor(f"customers:{10**40}"),
        paging.id_cursor("products", 1),
        paging.time_cursor("customers", MOMENT, 1),
        paging.id_cursor("customers", 1) + "=",
        paging.id_cursor("customers", 1) + "\n",
        paging.id_cursor("customers", 1)[:-1],
        base64.b64encode(b"\xff\xfe:1").decode(),
    ],
)
def test_what_is_no_cursor_of_the_list_is_refused(cursor: str) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        paging.read_id_cursor("customers", cursor)

    assert [error["pointer"] for error in refusal.value.errors] == ["/cursor"]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        paging.id_cursor("orders", 1),
        paging.time_cursor("products", MOMENT, 1),
        as_cursor("orders:1"),
        as_cursor("orders:1:2:3"),
        as_cursor("orders:-1:2"),
        as_cursor("orders:9999999999999999999:1"),
        as_cursor("orders:999999999999999:1"),
        as_cursor(f"orders:0:{LARGEST_ID + 1}"),
    ],
)
def test_what_is_no_cursor_of_a_list_by_time_is_refused(cursor: str) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        paging.read_time_cursor("orders", cursor)

    assert [error["pointer"] for error in refusal.value.errors] == ["/cursor"]


@given(IDS, st.data())
def test_a_cursor_has_one_spelling(row_id: int, data: st.DataObject) -> None:
    cursor = paging.id_cursor("customers", row_id)
    place = data.draw(st.integers(0, len(cursor) - 1))
    changed = cursor[:place] + data.draw(st.sampled_from("AQgw019-_")) + cursor[place + 1 :]

    try:
        read = paging.read_id_cursor("customers", changed)
    except ValidationFailed:
        return

    assert paging.id_cursor("customers", read) == changed


def test_a_page_tells_where_it_goes_on_as_long_as_there_is_more() -> None:
    def page_of(rows: list[int]) -> dict[str, object]:
        return paging.page(rows, 2, lambda row: {"id": row}, lambda row: f"after {row}")

    assert page_of([9, 8, 7]) == {"data": [{"id": 9}, {"id": 8}], "next_cursor": "after 8"}
    assert page_of([9, 8]) == {"data": [{"id": 9}, {"id": 8}], "next_cursor": None}
    assert page_of([]) == {"data": [], "next_cursor": None}


ROWS = st.integers(1, 60)


@given(
    there=st.sets(ROWS),
    limit=st.integers(1, 7),
    changes=st.lists(st.tuples(st.sets(ROWS), st.sets(ROWS)), max_size=20),
)
def test_pages_show_each_row_that_stays_exactly_once_whatever_comes_and_goes_meanwhile(
    there: set[int], limit: int, changes: list[tuple[set[int], set[int]]]
) -> None:
    stayed, ever, shown = set(there), set(there), []
    cursor: str | None = None
    coming_and_going = iter(changes)
    while True:
        before = paging.read_id_cursor("customers", cursor)
        rows = sorted((row for row in there if row < before), reverse=True)[: limit + 1]
        page = paging.page(
            rows, limit, lambda row: {"id": row}, lambda row: paging.id_cursor("customers", row)
        )
        shown += [row["id"] for row in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        coming, going = next(coming_and_going, (set(), set()))
        there = (there | coming) - going
        stayed -= going
        ever |= coming

    assert shown == sorted(set(shown), reverse=True)
    assert stayed <= set(shown) <= ever
