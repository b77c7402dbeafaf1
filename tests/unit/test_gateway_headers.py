"""Which header fields pass the gateway."""

import pytest

from gateway.headers import Origin, end_to_end, forwarding, from_octets, to_client, to_service

ORIGIN = Origin("192.0.2.1", "http", "shop.example")


@pytest.mark.parametrize(
    "name",
    [
        "Connection",
        "KEEP-ALIVE",
        "Proxy-Authenticate",
        "proxy-authorization",
        "Proxy-Connection",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
    ],
)
def test_a_field_of_the_connection_ends_with_it(name: str) -> None:
    assert end_to_end([(name, "x"), ("Accept", "a")]) == [("Accept", "a")]


def test_a_field_that_connection_names_ends_with_it() -> None:
    fields = [("X-A", "1"), ("connection", "x-a,, X-B "), ("X-b", "2"), ("Connection", "X-C")]

    assert end_to_end([*fields, ("X-C", "3"), ("X-D", "4")]) == [("X-D", "4")]


def test_fields_of_one_name_stay_apart_and_in_order() -> None:
    fields = [("Set-Cookie", "a=1"), ("Other", "x"), ("Set-Cookie", "b=2")]

    assert end_to_end(fields) == fields


def test_a_service_gets_the_clients_fields_and_where_they_came_from() -> None:
    fields = [
        ("Host", "shop.example"),
        ("Content-Length", "2"),
        ("Expect", "100-continue"),
        ("Authorization", "Bearer x"),
        ("x-correlation-id", "forged"),
        ("X-Forwarded-For", "203.0.113.7"),
        ("X-Forwarded-Host", "forged"),
        ("X-Forwarded-Proto", "forged"),
    ]

    assert to_service(fields, ORIGIN, "req-1") == [
        ("Authorization", "Bearer x"),
        ("X-Forwarded-For", "203.0.113.7, 192.0.2.1"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Host", "shop.example"),
        ("X-Correlation-Id", "req-1"),
    ]


def test_several_lists_of_proxies_become_one() -> None:
    fields = [("X-Forwarded-For", "a"), ("x-forwarded-for", "b, c")]

    assert forwarding(fields, ORIGIN)[0] == ("X-Forwarded-For", "a, b, c, 192.0.2.1")


@pytest.mark.parametrize(
    ("octets", "text"),
    [(b"plain", "plain"), ("caf\xe9".encode(), "café"), (b"caf\xe9!", "caf\ufffd!")],
)
def test_a_value_is_read_as_utf_8_and_nothing_of_it_is_lost(octets: bytes, text: str) -> None:
    assert from_octets(octets.decode("latin-1")) == text


def test_a_client_gets_the_services_fields_but_not_its_id() -> None:
    fields = [(b"ETag", b'"1"'), (b"X-Correlation-ID", b"x"), (b"X-Note", b"a\tb\xe9")]

    assert to_client(200, fields) == [("ETag", '"1"'), ("X-Note", "a bé")]


def test_no_content_has_no_length() -> None:
    assert to_client(204, [(b"Content-Length", b"0")]) == []
    assert to_client(304, [(b"Content-Length", b"9")]) == [("Content-Length", "9")]
