"""What the server answers to a statement.

The driver awaits each packet by itself and parses each column's description anew: of a row of eight
columns that was two thirds of the cost (docs/performance.md). Here an answer is taken apart at one
go, and descriptions of columns that were met before are known by their bytes, all at once.

Source: "Text Resultset", "OK_Packet", "ERR_Packet" and "EOF_Packet" in MySQL's documentation of its
client/server protocol, which MariaDB shares.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from pymysql import err as mysql
from pymysql.constants import FIELD_TYPE
from pymysql.converters import decoders
from pymysql.protocol import FieldDescriptorPacket

_HEADER = 4
"""A packet begins with its length, three bytes, and its number, one."""
_CONTINUED = 0xFFFFFF
"""A packet of this length goes on in the next one. Nothing of ours is that large (16 MiB)."""

_OK, _ERROR, _END = 0x00, 0xFF, 0xFE
_LONGEST_END = 8
"""A longer packet that begins like an end is a row."""
_NULL = 0xFB
_LENGTHS = {0xFC: 2, 0xFD: 3, 0xFE: 8}
"""Bytes of a number, by the byte before it; a smaller byte is the number itself."""

_ENCODING = "utf-8"
_BINARY = 63
_INTEGERS = {
    FIELD_TYPE.TINY,
    FIELD_TYPE.SHORT,
    FIELD_TYPE.INT24,
    FIELD_TYPE.LONG,
    FIELD_TYPE.LONGLONG,
}
_MOMENTS = {FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP}
_TEXTS = {
    FIELD_TYPE.STRING,
    FIELD_TYPE.VAR_STRING,
    FIELD_TYPE.VARCHAR,
    FIELD_TYPE.TINY_BLOB,
    FIELD_TYPE.BLOB,
    FIELD_TYPE.MEDIUM_BLOB,
    FIELD_TYPE.LONG_BLOB,
    FIELD_TYPE.JSON,
}
_DIFFERENT_RESULTS = 256
_TELLING = 128
"""As many bytes of an answer tell, nearly always, which columns it has."""

Converter = Callable[[bytes], Any]
Row = tuple[Any, ...]


class Result(NamedTuple):
    """What a statement came to: its rows, or how many it matched and the id that it made (or 0)."""

    rows: list[Row]
    matched: int
    made_id: int
    status: int


@dataclass(frozen=True, slots=True)
class _Columns:
    """The descriptions of an answer's columns: their bytes, as packets, and what they mean."""

    text: bytes
    packets: list[bytes]
    converters: tuple[Converter | None, ...]


_known: dict[bytes, _Columns] = {}
"""Descriptions that were met, by the first bytes of their answers."""


class Answer:
    """The packets of one answer, as far as they have come.

    ``first_number`` is that of its first packet: statements that were sent together have their
    answers' packets numbered through.
    """

    def __init__(self, first_number: int = 1) -> None:
        self.is_complete = False
        self._packets: list[bytes] = []
        self._first_number = first_number
        self._columns: _Columns | None = None
        self._rest = b""

    @property
    def next_number(self) -> int:
        """The number of the packet that follows."""
        return self._first_number + len(self._packets)

    def feed(self, chunk: bytes) -> bytes:
        """Take what has come; return what lies past the end of the answer.

        Raises:
            ConnectionError: it is not the answer to a statement of ours.
        """
        data = self._rest + chunk if self._rest else chunk
        packets = self._packets
        is_whole = not packets
        at, end = self._recognize(data) if is_whole else 0, len(data)
        number = self.next_number
        while end - at >= _HEADER and not self.is_complete:
            start = at + _HEADER
            size = data[at] | data[at + 1] << 8 | data[at + 2] << 16
            if start + size > end and size != _CONTINUED:
                break
            # A server that shuts down says so in a packet numbered 0.
            if data[at + 3] not in (number & 0xFF, 0) or size in (0, _CONTINUED):
                raise ConnectionError("the database's answer is not for us")
            at = start + size
            kind = data[start]
            packets.append(data[start:at])
            number += 1
            if kind == _ERROR or len(packets) == 1:
                self.is_complete = kind in (_OK, _ERROR)
            elif kind == _END and size <= _LONGEST_END:
                # One ends the columns, the other one the rows.
                self.is_complete = self._columns is not None
                self._columns = self._columns or _columns(data[:at] if is_whole else b"", packets)
        self._rest = data[at:]
        return self._rest if self.is_complete else b""

    def _recognize(self, data: bytes) -> int:
        """Take descriptions of columns that are known; return where they end."""
        known = _known.get(data[:_TELLING])
        if known is None or not data.startswith(known.text):
            return 0
        self._columns = known
        self._packets += known.packets
        return len(known.text)

    @property
    def has_failed(self) -> bool:
        """Tell whether the statement was refused, or broke off."""
        return self._packets[-1][0] == _ERROR

    def result(self) -> Result:
        """Return what the complete answer says.

        Raises:
            MySQLError: the statement failed.
        """
        first, last = self._packets[0], self._packets[-1]
        if last[0] == _ERROR:
            mysql.raise_mysql_exception(last)
        if first[0] == _OK:
            matched, at = _number(first, 1)
            made_id, at = _number(first, at)
            return Result([], matched, made_id, _status(first, at))
        assert self._columns is not None  # noqa: S101  # such an answer begins with them
        converters = self._columns.converters
        rows = [_row(packet, converters) for packet in self._packets[len(converters) + 2 : -1]]
        return Result(rows, len(rows), 0, _status(last, 3))


class Answers:
    """The answers to statements that were sent together: the first that fails is the last one."""

    def __init__(self, count: int) -> None:
        self.are_complete = False
        self._count = count
        self._complete: list[Answer] = []
        self._next = Answer()

    def feed(self, chunk: bytes) -> None:
        """Take what has come.

        Raises:
            ConnectionError: it is not the answer to statements of ours, or more than that.
        """
        rest = chunk
        while rest and not self.are_complete:
            answer = self._next
            rest = answer.feed(rest)
            if not answer.is_complete:
                return
            self._complete.append(answer)
            self.are_complete = answer.has_failed or len(self._complete) == self._count
            self._next = Answer(answer.next_number)
        if rest:
            raise ConnectionError("the database answers more than it was asked")

    def results(self) -> list[Result]:
        """Return what the complete answers say.

        Raises:
            MySQLError: a statement failed.
        """
        return [answer.result() for answer in self._complete]


def _columns(text: bytes, packets: Sequence[bytes]) -> _Columns:
    """Return the columns that the packets so far describe; know them from now on by their text.

    The text is empty if it came in pieces.
    """
    known = _known.get(text[:_TELLING])
    if known is not None and known.text == text:  # too short to tell before the rows came
        return known
    columns = _Columns(text, list(packets), tuple(map(_converter, packets[1:-1])))
    if text:
        if len(_known) >= _DIFFERENT_RESULTS:
            _known.clear()
        _known[text[:_TELLING]] = columns
    return columns


def _converter(description: bytes) -> Converter | None:
    """Return what makes a value of a column's bytes; None leaves them as they are."""
    column: Any = FieldDescriptorPacket(description, _ENCODING)
    kind = column.type_code
    if kind in _INTEGERS:
        return int
    if kind in _MOMENTS:
        return _moment
    if kind in _TEXTS:
        return None if column.charsetnr == _BINARY and kind != FIELD_TYPE.JSON else _text
    decode = decoders.get(kind, str)
    return lambda data: decode(data.decode("ascii"))


def _text(data: bytes) -> str:
    return data.decode(_ENCODING)


def _moment(data: bytes) -> datetime:
    return datetime.fromisoformat(data.decode("ascii"))


def _row(packet: bytes, converters: tuple[Converter | None, ...]) -> Row:
    values: list[Any] = []
    at = 0
    for convert in converters:
        size = packet[at]
        at += 1
        if size == _NULL:
            values.append(None)
            continue
        if size in _LENGTHS:
            size, at = _number(packet, at - 1)
        data = packet[at : at + size]
        at += size
        values.append(convert(data) if convert else data)
    return tuple(values)


def _number(packet: bytes, at: int) -> tuple[int, int]:
    """Return a length-encoded integer and where it ends."""
    first = packet[at]
    size = _LENGTHS.get(first, 0)
    if not size:
        return first, at + 1
    return int.from_bytes(packet[at + 1 : at + 1 + size], "little"), at + 1 + size


def _status(packet: bytes, at: int) -> int:
    return packet[at] | packet[at + 1] << 8
