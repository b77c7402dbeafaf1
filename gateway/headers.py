"""Which header fields pass the gateway, in either direction.

Source: RFC 9110, section 7.6.1 (what is meant for one connection alone).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

from service_kit import correlation

Fields = list[tuple[str, str]]

HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

_CORRELATION = correlation.HEADER.lower()

# Written anew for the call to the service. "Expect" was answered here: the body is read by then.
_WRITTEN_ANEW = frozenset(
    {
        "host",
        "content-length",
        "expect",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        _CORRELATION,
    }
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from: the peer's address, ``http`` or ``https``, its ``Host``."""

    address: str
    protocol: str
    host: str


def end_to_end(fields: Iterable[tuple[str, str]]) -> Fields:
    """Return the fields that are not for the connection alone."""
    given = list(fields)
    named = {
        option.strip().lower()
        for name, value in given
        if name.lower() == "connection"
        for option in value.split(",")
    }
    return [(name, value) for name, value in given if name.lower() not in HOP_BY_HOP | named]


def to_service(fields: Iterable[tuple[str, str]], origin: Origin, correlation_id: str) -> Fields:
    """Return the fields of a client's request as the service gets them."""
    given = [(name, from_octets(value)) for name, value in fields]
    passed = [(n, value) for n, value in end_to_end(given) if n.lower() not in _WRITTEN_ANEW]
    return [*passed, *forwarding(given, origin), (correlation.HEADER, correlation_id)]


def forwarding(fields: Iterable[tuple[str, str]], origin: Origin) -> Fields:
    """Return what tells of the client; the addresses of proxies before us stay in front."""
    before = [value for name, value in fields if name.lower() == "x-forwarded-for"]
    return [
        ("X-Forwarded-For", ", ".join([*before, origin.address])),
        ("X-Forwarded-Proto", origin.protocol),
        ("X-Forwarded-Host", origin.host),
    ]


def to_client(status: int, raw_fields: Iterable[tuple[bytes, bytes]]) -> Fields:
    """Return the fields of a service's answer as the client gets them, all but the id."""
    # A tab in a value means a blank (RFC 9110, section 5.5), and Tornado sends only those.
    fields = [
        (name.decode("latin-1"), value.decode("latin-1").replace("\t", " "))
        for name, value in raw_fields
    ]
    withheld = {_CORRELATION, *({"content-length"} if status == HTTPStatus.NO_CONTENT else ())}
    return [(name, value) for name, value in end_to_end(fields) if name.lower() not in withheld]


def from_octets(value: str) -> str:
    """Return a field's value as text: Tornado hands out octets, one for a character.

    What is not UTF-8 stays visible as such, and is not left out.
    """
    return value if value.isascii() else value.encode("latin-1").decode("utf-8", "replace")
