import asyncio
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_kit import correlation

WELL_FORMED = st.text(string.ascii_letters + string.digits + "._:-", min_size=1, max_size=128)

MALFORMED = [
    "",
    " ",
    "a b",
    "a\n",
    "\na",
    "é",
    "\uff11",
    "a/b",
    "a,b",
    "a" * 129,
    "\x00",
    "a;b",
    '"a"',
]


@given(WELL_FORMED)
def test_a_well_formed_id_is_kept(value: str) -> None:
    assert correlation.is_well_formed(value)
    assert correlation.adopt(value) == value


@pytest.mark.parametrize("value", [None, *MALFORMED])
def test_any_other_is_replaced_by_a_new_well_formed_one(value: str | None) -> None:
    adopted = correlation.adopt(value)

    assert adopted != value
    assert correlation.is_well_formed(adopted)


@pytest.mark.parametrize("value", [None, 1, True, ["a"], {}, b"a", *MALFORMED])
def test_only_texts_of_the_contracts_characters_are_well_formed(value: object) -> None:
    assert not correlation.is_well_formed(value)


@given(st.text(max_size=140))
def test_the_published_pattern_says_what_the_code_does(value: str) -> None:
    # JSON Schema's dialect knows no "$" before a last line feed, as Python's does.
    published = re.fullmatch(correlation.PATTERN, value) is not None and "\n" not in value

    assert correlation.is_well_formed(value) == published


def test_new_ids_are_all_different() -> None:
    assert len({correlation.new() for _ in range(100)}) == 100


def test_requests_that_are_served_at_once_keep_their_own_ids() -> None:
    async def serve(own: str) -> bool:
        correlation.current.set(own)
        await asyncio.sleep(0)
        return correlation.current.get() == own

    async def serve_all() -> list[bool]:
        return await asyncio.gather(*(serve(f"request-{number}") for number in range(10)))

    assert all(asyncio.run(serve_all()))
    assert correlation.current.get() == ""
