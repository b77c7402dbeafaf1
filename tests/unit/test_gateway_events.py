"""An HTTP request as API Gateway's event, payload format 2.0."""

import base64
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.events import IncomingRequest, http_event
from gateway.headers import Origin

REQUEST = IncomingRequest(
    method="POST",
    path="/things",
    query="",
    http_version="HTTP/1.1",
    headers=[("Host", "shop.example:8080"), ("User-Agent", "test/1")],
    body=b"{}",
    origin=Origin("192.0.2.1", "http", "shop.example:8080"),
    request_id="id-1",
    correlation_id="req-1",
    moment=datetime(2026, 3, 9, 7, 5, 1, 250_000, tzinfo=UTC),
)
ROUTE = "POST /things"


def test_a_plain_request_is_this_event() -> None:
    assert http_event(REQUEST, ROUTE) == {
        "version": "2.0",
        "routeKey": "POST /things",
        "rawPath": "/things",
        "rawQueryString": "",
        "headers": {
            "host": "shop.example:8080",
            "user-agent": "test/1",
            "x-forwarded-for": "192.0.2.1",
            "x-forwarded-proto": "http",
            "x-forwarded-host": "shop.example:8080",
            "x-correlation-id": "req-1",
        },
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "gateway",
            "domainName": "shop.example",
            "domainPrefix": "shop",
            "http": {
                "method": "POST",
                "path": "/things",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "test/1",
            },
            "requestId": "id-1",
            "routeKey": "POST /things",
            "stage": "$default",
            "time": "09/Mar/2026:07:05:01 +0000",
            "timeEpoch": 1773039901250,
        },
        "body": "{}",
        "isBase64Encoded": False,
    }


def test_fields_of_one_name_are_joined_by_commas() -> None:
    request = replace(REQUEST, headers=[("Accept", "a"), ("X", "1"), ("accept", "b")])

    assert http_event(request, ROUTE)["headers"]["accept"] == "a,b"


def test_cookies_have_a_place_of_their_own() -> None:
    request = replace(REQUEST, headers=[("Cookie", "a=1; b=2"), ("cookie", "c=3;")])
    event = http_event(request, ROUTE)

    assert event["cookies"] == ["a=1", "b=2", "c=3"]
    assert "cookie" not in event["headers"]


def test_fields_of_the_connection_are_not_the_functions_business() -> None:
    headers = [("Connection", "close, X-Hop"), ("X-Hop", "1"), ("Transfer-Encoding", "chunked")]
    event = http_event(replace(REQUEST, headers=headers), ROUTE)

    assert not {"connection", "x-hop", "transfer-encoding"} & set(event["headers"])


def test_the_correlation_id_is_the_requests_whatever_was_sent() -> None:
    headers = [("X-Correlation-Id", "bad id"), ("x-correlation-id", "another")]

    event = http_event(replace(REQUEST, headers=headers), ROUTE)

    assert event["headers"]["x-correlation-id"] == "req-1"


def test_the_query_is_there_raw_and_read() -> None:
    event = http_event(replace(REQUEST, query="a=1&b=x+y%2C&a=2&c"), ROUTE)

    assert event["rawQueryString"] == "a=1&b=x+y%2C&a=2&c"
    assert event["queryStringParameters"] == {"a": "1,2", "b": "x y,", "c": ""}


def test_what_a_request_does_not_have_is_left_out() -> None:
    event = http_event(replace(REQUEST, body=b"", headers=[]), ROUTE)

    assert not {"body", "cookies", "queryStringParameters"} & set(event)
    assert event["isBase64Encoded"] is False
    assert event["requestContext"]["http"]["userAgent"] == ""


@pytest.mark.parametrize(
    ("host", "domain", "prefix"),
    [
        ("localhost", "localhost", "localhost"),
        ("a.b:1", "a.b", "a"),
        ("[::1]:80", "[::1]", "[::1]"),
    ],
)
def test_a_domain_name_has_no_port(host: str, domain: str, prefix: str) -> None:
    origin = replace(REQUEST.origin, host=host)
    context = http_event(replace(REQUEST, origin=origin), ROUTE)["requestContext"]

    assert (context["domainName"], context["domainPrefix"]) == (domain, prefix)


def test_a_text_goes_as_it_is() -> None:
    event = http_event(replace(REQUEST, body='{"é": "\t\r\n"}'.encode()), ROUTE)

    assert (event["body"], event["isBase64Encoded"]) == ('{"é": "\t\r\n"}', False)


@pytest.mark.parametrize("body", [b"\xff", b"\x00", b"a\x1bb", b"\xed\xa0\x80"])
def test_what_is_no_text_goes_in_base64(body: bytes) -> None:
    event = http_event(replace(REQUEST, body=body), ROUTE)

    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == body
