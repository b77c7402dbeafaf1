"""What an emulator answered, as an HTTP response."""

import json
from typing import Any

import pytest

from gateway.proxy_responses import FunctionResponse, read
from service_kit.problems import UpstreamTimeout, UpstreamUnavailable


def response(**members: Any) -> FunctionResponse:
    return read(json.dumps({"statusCode": 200, **members}).encode())


def test_status_headers_and_body_are_the_functions() -> None:
    came = response(statusCode=409, headers={"content-type": "text/x", "A": "1"}, body="é")

    assert came == FunctionResponse(409, [("content-type", "text/x"), ("A", "1")], "é".encode())


def test_a_body_may_come_in_base64() -> None:
    came = response(headers={"content-type": "x/y"}, body="/wA=", isBase64Encoded=True)

    assert came.body == b"\xff\x00"


def test_each_cookie_is_a_field() -> None:
    came = response(cookies=["a=1; Path=/", "b=2"])

    assert came.headers == [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2")]


def test_numbers_and_truths_are_written_out() -> None:
    came = response(headers={"Retry-After": 3, "X-Is": True, "X-Empty": ""})

    assert came.headers == [("Retry-After", "3"), ("X-Is", "true"), ("X-Empty", "")]


def test_lengths_and_fields_of_the_connection_are_not_the_functions_to_say() -> None:
    headers = {"Content-Length": "9", "Connection": "X-Hop", "X-Hop": "1", "Keep-Alive": "x"}

    assert response(headers=headers, body="").headers == []


def test_a_body_without_a_media_type_is_text() -> None:
    assert response(body="x").headers == [("Content-Type", "text/plain; charset=utf-8")]


@pytest.mark.parametrize("members", [{}, {"body": None, "headers": None, "cookies": None}])
def test_what_is_left_out_is_empty(members: dict[str, Any]) -> None:
    assert response(**members) == FunctionResponse(200, [], b"")


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_has_no_body_gets_none(status: int) -> None:
    assert response(statusCode=status, body="x").body == b""


@pytest.mark.parametrize(
    "members",
    [
        {"statusCode": "200"},
        {"statusCode": 200.5},
        {"statusCode": True},
        {"statusCode": 100},
        {"statusCode": 600},
        {"statusCode": None},
        {"headers": [1]},
        {"headers": "x"},
        {"headers": {"A": None}},
        {"headers": {"A": ["1"]}},
        {"headers": {"A B": "1"}},
        {"headers": {"": "1"}},
        {"headers": {"A": "1\r\nB: 2"}},
        {"headers": {"A": "\u20ac"}},
        {"cookies": "a=1"},
        {"cookies": 7},
        {"cookies": ["a\n"]},
        {"body": {"a": 1}},
        {"body": 7},
        {"body": False},
        {"body": "?", "isBase64Encoded": True},
    ],
)
def test_what_is_no_proxy_response_is_none(members: dict[str, Any]) -> None:
    with pytest.raises(UpstreamUnavailable):
        response(**members)


@pytest.mark.parametrize(
    "answer", [b"", b"x", b"null", b"[]", b"7", b'"x"', b"{}", b'{"success": true}', b"\xff"]
)
def test_another_answer_is_no_proxy_response(answer: bytes) -> None:
    with pytest.raises(UpstreamUnavailable):
        read(answer)


def test_a_failed_function_is_unavailable_and_what_it_said_stays_in_the_log() -> None:
    with pytest.raises(UpstreamUnavailable) as caught:
        read(b'{"errorType": "ValueError", "errorMessage": "secret", "stackTrace": []}')

    assert "secret" not in caught.value.detail


def test_a_function_that_ran_out_of_time_is_a_timeout() -> None:
    with pytest.raises(UpstreamTimeout):
        read(b"Task timed out after 20.00 seconds")
