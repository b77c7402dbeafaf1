from typing import Any

import pytest
from awslambdaric.lambda_runtime_exception import FaultException

from orchestrator_image.events import Unreadable
from orchestrator_image.marshalling import Marshaller


def test_json_is_read_and_written() -> None:
    value: Any = {"a": [1, "\u00e9", None]}
    text, content_type = Marshaller().marshal_response(value)

    assert Marshaller().unmarshal_request(text) == value
    assert content_type == "application/json"


@pytest.mark.parametrize(
    "request_body",
    [
        "[" * 200_000 + "]" * 200_000,
        '{"a":' * 200_000 + "1" + "}" * 200_000,
        "1" * 5000,
    ],
)
def test_json_that_is_too_much_for_the_runtime_still_reaches_the_handler(request_body: str) -> None:
    assert isinstance(Marshaller().unmarshal_request(request_body), Unreadable)


@pytest.mark.parametrize("request_body", ["", "{", "nonsense", b"\xff"])
def test_what_is_not_json_fails_in_the_runtime(request_body: str | bytes) -> None:
    with pytest.raises(FaultException):
        Marshaller().unmarshal_request(request_body)
