import base64
import json
from typing import Any

import pytest

from orchestrator_image import events
from orchestrator_image.events import Answer, BareEvent, HttpEvent, Unreadable
from service_kit.problems import BodyTooLarge, InvalidJson, Problem, UnsupportedMediaType


def http(**members: Any) -> HttpEvent:
    event = events.read({"requestContext": {}, **members})
    assert isinstance(event, HttpEvent)
    return event


def refusal_of(event: HttpEvent | BareEvent) -> type[Problem]:
    with pytest.raises(Problem) as refusal:
        event.request()
    return refusal.type


@pytest.mark.parametrize("context", [{}, {"http": {}}, None, [], "x", 0])
def test_an_event_with_a_request_context_came_over_http(context: Any) -> None:
    assert isinstance(events.read({"requestContext": context}), HttpEvent)


@pytest.mark.parametrize("event", [{}, {"customer_id": 1}, [], ["requestContext"], "x", 1, None])
def test_any_other_event_is_the_request_itself(event: Any) -> None:
    bare = events.read(event)

    assert isinstance(bare, BareEvent)
    assert bare.request() == event
    assert bare.correlation_id is None


def test_an_event_that_the_runtime_could_not_read_is_no_json_for_us() -> None:
    assert refusal_of(events.read(Unreadable("too deep"))) is InvalidJson


@pytest.mark.parametrize("name", ["x-correlation-id", "X-Correlation-Id", "X-CORRELATION-ID"])
def test_headers_are_found_however_they_are_written(name: str) -> None:
    assert http(headers={name: "req-789"}).correlation_id == "req-789"


@pytest.mark.parametrize(
    "headers", [None, [], "x", 1, {}, {"authorization": None}, {"authorization": []}]
)
def test_odd_headers_are_no_headers(headers: Any) -> None:
    assert http(headers=headers).authorization is None


def test_headers_may_come_as_lists_of_values() -> None:
    event = http(headers=None, multiValueHeaders={"Authorization": ["Bearer a", "Bearer b"]})

    assert event.authorization == "Bearer b"


def test_a_body_is_read() -> None:
    assert http(body='{"a": 1}').request() == {"a": 1}


def test_a_body_in_base64_is_read() -> None:
    body = base64.b64encode('{"a": "\u00e9"}'.encode()).decode()

    assert http(body=body, isBase64Encoded=True).request() == {"a": "\u00e9"}


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"body": None},
        {"body": ""},
        {"body": {"a": 1}},
        {"body": 1},
        {"body": "{"},
        {"body": '{"a": NaN}'},
        {"body": '{"a": "\ud800"}'},
        {"body": "[" * 100_000},
        {"body": "e30", "isBase64Encoded": True},
        {"body": "e30=\u00e9", "isBase64Encoded": True},
        {"body": "{}", "isBase64Encoded": True},
        {"body": base64.b64encode(b"\xff").decode(), "isBase64Encoded": True},
    ],
)
def test_a_body_that_is_not_json_is_refused(members: dict[str, Any]) -> None:
    assert refusal_of(http(**members)) is InvalidJson


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/vnd.acme+json",
    ],
)
def test_a_json_content_type_is_taken(content_type: str) -> None:
    assert http(headers={"content-type": content_type}, body="{}").request() == {}


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"Content-Type": "application/xml"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": "json"},
        {"content-type": ""},
        {"content-encoding": "gzip", "content-type": "application/json"},
    ],
)
def test_another_content_type_is_refused_before_the_body_is_looked_at(
    headers: dict[str, str],
) -> None:
    assert refusal_of(http(headers=headers, body="{")) is UnsupportedMediaType


def test_a_body_over_one_mebibyte_is_refused() -> None:
    largest = json.dumps("x" * (1024 * 1024 - 2))

    assert len(http(body=largest).request()) == 1024 * 1024 - 2
    assert refusal_of(http(body=largest + " ")) is BodyTooLarge


def test_an_http_event_is_answered_by_a_proxy_response() -> None:
    answer = Answer(503, {"correlationId": "req-789"}, {"Retry-After": "1"})

    assert http().response(answer, b'{"correlationId":"req-789"}') == {
        "statusCode": 503,
        "headers": {
            "content-type": "application/json",
            "X-Correlation-Id": "req-789",
            "Retry-After": "1",
        },
        "body": '{"correlationId":"req-789"}',
    }


def test_a_bare_event_is_answered_by_the_object_itself() -> None:
    answer = Answer(201, {"correlationId": "req-789"})

    assert events.read({}).response(answer, b"{}") == {"correlationId": "req-789"}
