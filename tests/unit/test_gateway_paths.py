"""Which paths are passed on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.paths import is_passed_on


@pytest.mark.parametrize(
    "path", ["/customers", "/orders/1/confirm", "/products/A-b_c.d~e", "/customers/..a", "/a/~"]
)
def test_plain_segments_are_passed_on(path: str) -> None:
    assert is_passed_on(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "customers",
        "/customers/",
        "//customers",
        "/customers//1",
        "/customers/.",
        "/customers/..",
        "/customers/....",
        "/customers/../internal/customers/1",
        "/customers/%2e%2e/internal",
        "/customers/1%2f..",
        "/customers/1;v=2",
        "/customers\\1",
        "/customers/1\n",
        "/customers/é",
        "/customers/\uff11",
        "/customers/1?a",
        "/customers/1#a",
        "/customers/ 1",
        "/customers/@",
        "http://host/customers",
    ],
)
def test_whatever_else_a_segment_holds_it_is_not(path: str) -> None:
    assert not is_passed_on(path)


@given(st.text(alphabet="/.%2eEfF5c\\;ab\t ?#", max_size=30))
def test_what_is_passed_on_stays_below_where_it_begins(path: str) -> None:
    if is_passed_on(path):
        segments = path.split("/")[1:]
        assert all(segment and segment.strip(".") for segment in segments)
        assert not set(path) & set("%\\;\t ?#")
