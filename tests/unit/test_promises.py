"""The promises that every answer in the tests is held against can be broken."""

import json

import pytest

from tests import promises

CUSTOMERS = promises.of("customers_api/openapi.yaml")
NOT_FOUND = json.dumps({"code": "NOT_FOUND"}).encode()


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"{}"), (401, b'{"code": "UNAUTHORIZED"}'), (404, b'{"code": "CUSTOMER_NOT_FOUND"}')],
)
def test_a_path_that_answers_must_be_documented(status: int, body: bytes) -> None:
    with pytest.raises(AssertionError, match="an undocumented path"):
        CUSTOMERS.check("GET", "/clients/1", status, {}, body)


def test_what_nobody_knows_and_what_is_for_browsers_need_no_document() -> None:
    CUSTOMERS.check("GET", "/clients/1", 404, {}, NOT_FOUND)
    CUSTOMERS.check("HEAD", "/clients/1", 404, {}, b"")
    CUSTOMERS.check("GET", "/docs/page.css", 200, {}, b"* {}")


def test_a_status_that_is_not_documented_is_a_broken_promise() -> None:
    with pytest.raises(AssertionError, match="is not documented"):
        CUSTOMERS.check("GET", "/customers", 418, {}, b"")
