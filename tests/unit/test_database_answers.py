"""The database's answers, byte for byte as they come over the wire."""

import struct
from collections.abc import Iterable
from datetime import datetime

import pytest
from pymysql import err as mysql
from pymysql.constants import FIELD_TYPE

from service_kit.database_answers import Answer, Result

BINARY, UTF8 = 63, 45
END = b"\xfe\x00\x00\x02\x00"


def packets(*payloads: bytes) -> bytes:
    return b"".join(
        struct.pack("<I", len(payload))[:3] + bytes([number % 256]) + payload
        for number, payload in enumerate(payloads, start=1)
    )


def text(value: bytes | None) -> bytes:
    """Return a value as the protocol has it: its length, then its bytes."""
    if value is None:
        return b"\xfb"
    if len(value) < 251:
        return bytes([len(value)]) + value
    if len(value) < 2**16:
        return b"\xfc" + struct.pack("<H", len(value)) + value
    return b"\xfd" + struct.pack("<I", len(value))[:3] + value


def column(kind: int, charset: int = BINARY) -> bytes:
    names = b"".join(map(text, (b"def", b"shop", b"t", b"t", b"name", b"name")))
    return names + b"\x0c" + struct.pack("<HIBHBxx", charset, 100, kind, 0, 0)


def result_set(columns: list[bytes], rows: Iterable[tuple[bytes | None, ...]]) -> bytes:
    row_packets = (b"".join(map(text, row)) for row in rows)
    return packets(bytes([len(columns)]), *columns, END, *row_packets, END)


def answered(data: bytes) -> Result:
    answer = Answer()
    answer.feed(data)
    assert answer.is_complete
    return answer.result()


def refusal(data: bytes, exception: type[Exception]) -> str:
    with pytest.raises(exception) as raised:
        answered(data)
    return str(raised.value)


def test_values_are_of_the_types_of_their_columns() -> None:
    columns = [
        column(FIELD_TYPE.LONGLONG),
        column(FIELD_TYPE.VAR_STRING, UTF8),
        column(FIELD_TYPE.VAR_STRING, BINARY),
        column(FIELD_TYPE.DATETIME),
        column(FIELD_TYPE.DOUBLE),
        column(FIELD_TYPE.LONG),
    ]
    row = (
        b"-9223372036854775808",
        "Ñandú".encode(),
        b"\x00\xff",
        b"2026-01-31 12:00:00.123",
        b"1.5",
    )

    result = answered(result_set(columns, [(*row, None)]))

    moment = datetime(2026, 1, 31, 12, 0, 0, 123000)
    assert result.rows == [(-(2**63), "Ñandú", b"\x00\xff", moment, 1.5, None)]
    assert result.matched == 1


@pytest.mark.parametrize("size", [0, 1, 250, 251, 252, 65535, 65536, 100_000])
def test_values_of_any_length(size: int) -> None:
    values = (b"x" * size, b"after")

    result = answered(result_set([column(FIELD_TYPE.BLOB)] * 2, [values, values]))

    assert result.rows == [values, values]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_an_answer_may_come_in_pieces(size: int) -> None:
    rows = [(str(number).encode(), None) for number in range(300)]
    data = result_set([column(FIELD_TYPE.LONG)] * 2, rows)
    answer = Answer()

    for at in range(0, len(data), size):
        assert not answer.is_complete
        answer.feed(data[at : at + size])

    assert answer.is_complete
    assert answer.result().rows == [(number, None) for number in range(300)]


def test_no_rows() -> None:
    assert answered(result_set([column(FIELD_TYPE.LONG)], [])).rows == []


def test_the_same_names_with_other_types_are_other_columns() -> None:
    number = answered(result_set([column(FIELD_TYPE.LONG)], [(b"1",)]))
    word = answered(result_set([column(FIELD_TYPE.VAR_STRING, UTF8)], [(b"1",)]))

    assert (number.rows, word.rows) == ([(1,)], [("1",)])


@pytest.mark.parametrize("size", [1, 60, 1000])
def test_columns_that_were_met_before_are_known_however_they_come(size: int) -> None:
    columns = [column(FIELD_TYPE.LONG)] * 5
    data = result_set([*columns, column(FIELD_TYPE.LONG)], [(b"1",) * 6])
    other = result_set([*columns, column(FIELD_TYPE.VAR_STRING, UTF8)], [(b"1",) * 6])

    for text, last in ((data, 1), (other, "1"), (other, "1"), (data, 1), (data, 1)):
        answer = Answer()
        for at in range(0, len(text), size):
            answer.feed(text[at : at + size])
        assert answer.result().rows == [(1, 1, 1, 1, 1, last)]


def test_what_a_change_came_to() -> None:
    result = answered(packets(b"\x00\x03\xfc\x39\x30\x02\x00\x00\x00"))

    assert (result.matched, result.made_id, result.rows) == (3, 12345, [])


def test_a_refused_statement_is_the_drivers_error() -> None:
    error = b"\xff" + struct.pack("<H", 1062) + b"#23000Duplicate entry"

    with pytest.raises(mysql.IntegrityError) as raised:
        answered(packets(error))

    assert raised.value.args[0] == 1062


def test_an_error_in_the_middle_of_the_rows() -> None:
    error = b"\xff" + struct.pack("<H", 1317) + b"#70100Query execution was interrupted"
    started = (b"\x01", column(FIELD_TYPE.LONG), END, b"\x011")

    assert "interrupted" in refusal(packets(*started, error), mysql.MySQLError)


def test_a_server_that_shuts_down_says_so_out_of_turn() -> None:
    error = b"\xff" + struct.pack("<H", 1053) + b"#08S01Server shutdown in progress"
    data = struct.pack("<I", len(error))[:3] + b"\x00" + error

    assert "shutdown" in refusal(data, mysql.MySQLError)


def test_statements_that_were_sent_together_are_answered_one_after_another() -> None:
    done = b"\x00\x01\x00\x0a\x00\x00\x00"
    data = packets(done, b"\x01", column(FIELD_TYPE.LONG), END, b"\x017", END)
    first = Answer()

    rest = first.feed(data)
    second = Answer(first.next_number)

    assert first.result().matched == 1
    assert second.feed(rest) == b""
    assert second.result().rows == [(7,)]


@pytest.mark.parametrize(
    "data",
    [
        b"\x07\x00\x00\x05" + b"\x00\x00\x00\x02\x00\x00\x00",  # out of order
        b"\x00\x00\x00\x01",  # empty
        b"\xff\xff\xff\x01\x01",  # 16 MiB, and more to come
    ],
)
def test_what_is_no_answer_to_a_statement_of_ours_is_refused(data: bytes) -> None:
    assert "not for us" in refusal(data, ConnectionError)
