"""scripts/invoke: what is sent, and when it counts as success."""

import io
import json
from pathlib import Path

import pytest

from local_system import example_order, invoke
from local_system.calls import Answer
from local_system.failures import LocalSystemError

CONFIRMED = {"success": True, "data": {"order": {"status": "CONFIRMED"}}}


def answer(value: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value).encode())


def test_the_example_is_the_contracts_under_a_fresh_key_each_time() -> None:
    first, second = example_order.example(), example_order.example()

    assert (first["customer_id"], first["items"]) == (1, [{"product_id": 2, "qty": 3}])
    assert first["idempotency_key"] != second["idempotency_key"]


def test_an_event_is_read_from_the_argument_a_file_or_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "event.json"
    file.write_text('{"from": "file"}')
    monkeypatch.setattr("sys.stdin", io.StringIO('{"from": "stdin"}'))

    assert invoke.read_event('{"from": "argument"}') == {"from": "argument"}
    assert invoke.read_event(f"@{file}") == {"from": "file"}
    assert invoke.read_event("-") == {"from": "stdin"}


@pytest.mark.parametrize("argument", ["{", "", "@no-such-file"])
def test_what_cannot_be_read_is_said_and_not_sent(argument: str) -> None:
    with pytest.raises(LocalSystemError):
        invoke.read_event(argument)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (CONFIRMED, True),
        ({"success": False, "error": {"code": "INSUFFICIENT_STOCK"}}, False),
        ({"statusCode": 201, "body": json.dumps(CONFIRMED)}, True),
        ({"statusCode": 409, "body": "{}"}, False),
        ({"errorType": "Exception", "errorMessage": "..."}, False),
        ("Task timed out after 20.00 seconds", False),
        ([], False),
    ],
)
def test_only_a_confirmed_order_is_a_success(value: object, *, expected: bool) -> None:
    assert example_order.succeeded(answer(value)) is expected


def test_an_answer_that_is_no_json_is_shown_as_it_came() -> None:
    timed_out = Answer(200, b"Task timed out")

    assert example_order.pretty(timed_out) == "Task timed out"
    assert not example_order.succeeded(timed_out)


def test_a_refusal_is_known_by_its_code() -> None:
    refusal = answer({"success": False, "error": {"code": "INSUFFICIENT_STOCK"}}, 409)

    assert example_order.error_code(refusal) == "INSUFFICIENT_STOCK"
    assert example_order.error_code(answer(CONFIRMED)) == ""
