from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_kit import jsons
from service_kit.problems import InvalidJson

PAST_64_BITS = 10**20

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def in_another_order(value: Any) -> Any:
    if isinstance(value, list):
        return [in_another_order(item) for item in value]
    if isinstance(value, dict):
        return {name: in_another_order(value[name]) for name in reversed(value)}
    return value


@given(JSON_VALUES)
def test_what_was_encoded_is_decoded_as_the_same_value(value: Any) -> None:
    assert jsons.decode(jsons.encode(value)) == value


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b'{"name": "\xff"}', "it is not UTF-8"),
        ("\ud800", "it is not UTF-8"),
        (b'{"name": 1,}', "trailing comma is not allowed: line 1, column 11"),
    ],
)
def test_what_is_not_json_is_told_in_words_of_the_sender(data: bytes | str, reason: str) -> None:
    with pytest.raises(InvalidJson) as refusal:
        jsons.decode(data)

    assert refusal.value.detail == f"The body is not JSON: {reason}."


def test_json_is_written_compactly_in_utf_8() -> None:
    assert jsons.encode({"name": "Café 😀", "n": [1, None]}) == (
        '{"name":"Café 😀","n":[1,null]}'.encode()
    )


def test_an_integer_of_more_than_64_bits_can_be_written() -> None:
    assert jsons.encode({"product_id": PAST_64_BITS}) == b'{"product_id":100000000000000000000}'
    assert jsons.canonical([PAST_64_BITS]) == b"[100000000000000000000]"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"{",
        b"{'name': 1}",
        b'{"name": 1,}',
        b'{"a": 1} {"b": 2}',
        b"// comment\n{}",
        b"NaN",
        b"-Infinity",
        b'{"price_cents": Infinity}',
        b"1e400",
        b"01",
        b"+1",
        b'"\t"',
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'"\xff"',
        b'"\xc0\xaf"',
        b'"\xed\xa0\x80"',
        b"\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=lambda data: repr(data[:20]),
)
def test_what_is_not_json_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidJson):
        jsons.decode(data)


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        (1.0, 1),
        (-0.0, 0),
        (1e3, 1000),
        (1.5, 1.5),
        ({"qty": 2.0, "deep": [{"qty": 3.0}, "4.0"]}, {"qty": 2, "deep": [{"qty": 3}, "4.0"]}),
    ],
)
def test_a_whole_number_is_an_integer_however_it_was_written(value: Any, meant: Any) -> None:
    assert repr(jsons.whole_numbers(value)) == repr(meant)


@pytest.mark.parametrize("value", [True, False, None, "1.0"])
def test_what_is_no_number_stays_what_it_is(value: Any) -> None:
    assert jsons.whole_numbers(value) is value


@given(JSON_VALUES)
def test_equal_values_have_the_same_canonical_bytes_in_any_order_of_their_names(value: Any) -> None:
    assert jsons.canonical(in_another_order(value)) == jsons.canonical(value)


@pytest.mark.parametrize(("one", "other"), [([1, 2], [2, 1]), ({"a": 1}, {"a": "1"}), (True, 1)])
def test_different_values_have_different_canonical_bytes(one: Any, other: Any) -> None:
    assert jsons.canonical(one) != jsons.canonical(other)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "APPLICATION/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/json ; charset=utf8",
        "application/json; profile=orders",
        "application/vnd.acme+json",
        "application/problem+json; charset=utf-8",
    ],
)
def test_json_media_types_are_told_from_others(content_type: str) -> None:
    assert jsons.is_json(content_type)


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "json",
        "text/json",
        "text/plain",
        "application/json5",
        "application/jsonp",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain; application/json",
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
        "application/json; charset=",
        "application/json; charset=utf-8; charset=latin-1",
    ],
)
def test_other_media_types_and_encodings_are_not_json(content_type: str) -> None:
    assert not jsons.is_json(content_type)
