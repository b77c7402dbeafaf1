"""What a request may bring in its body: JSON in UTF-8, of 1 MiB at most, and nothing else."""

import io
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.apis import Answer, Api
from tests.builders import unique
from tests.database_servers import TestDatabase
from tests.integration.raw_http import answer_of, answer_to, chunked, exchange, request_head

MIB = 1024 * 1024
JSON = "Content-Type: application/json"


@dataclass(frozen=True, slots=True)
class Door:
    """A way to write something: an API, a path, and what is taken there."""

    api: Api
    path: str
    sound: Callable[[], dict[str, Any]]

    def sound_body(self, length: int = 0) -> bytes:
        """Return a body that is taken, filled up with blanks to a length."""
        return json.dumps(self.sound()).encode().ljust(length)


@pytest.fixture(params=["customers", "products"])
def door(request: pytest.FixtureRequest, customers: Api, orders: Api) -> Door:
    if request.param == "customers":
        return Door(
            customers, "/customers", lambda: {"name": "A", "email": f"{unique('a')}@acme.com"}
        )
    return Door(
        orders,
        "/products",
        lambda: {"sku": unique("A-"), "name": "A", "price_cents": 1, "stock": 1},
    )


@pytest.fixture
def rows(database: TestDatabase) -> Callable[[], object]:
    """Return what counts the rows that requests could have written."""
    counts = ", ".join(
        f"(SELECT COUNT(*) FROM {table})"
        for table in ("customers", "customer_terms", "products", "product_terms", "orders")
    )
    return lambda: database.query(f"SELECT {counts}")


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


NOT_JSON = {
    "nothing": b"",
    "a blank": b" ",
    "half an object": b'{"name": "A"',
    "a comma too many": b'{"name": "A",}',
    "two values": b"{} {}",
    "single quotes": b"{'name': 'A'}",
    "a form": b"name=A&email=a%40acme.com",
    "NaN": b'{"name": NaN}',
    "Infinity": b'{"name": Infinity}',
    "-Infinity": b'{"name": -Infinity}',
    "a number past all doubles": b'{"name": 1e400}',
    "half a surrogate pair": b'{"name": "\\ud83d"}',
    "the other half": b'{"name": "\\ude00"}',
    "broken UTF-8": b'{"name": "\xc3\x28"}',
    "UTF-8 of a surrogate": b'{"name": "\xed\xa0\x80"}',
    "latin-1": '{"name": "José"}'.encode("latin-1"),
    "UTF-16": '{"name": "A"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"name": "A"}',
    "a bare control character": b'{"name": "A\x00"}',
    "100,000 brackets": b"[" * 100_000,
    "100,000 lists in one another": nested(100_000),
    "an object in an object, 50,000 times": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
async def test_what_is_not_json_is_refused(
    door: Door, rows: Callable[[], object], body: bytes
) -> None:
    before = rows()

    answer = await door.api.call(
        "POST", door.path, data=body, Content_Type="application/json; charset=utf-8"
    )

    assert (answer.status, answer.code) == (400, "INVALID_JSON")
    assert rows() == before
    assert (await door.api.get("/health")).status == 200


@pytest.mark.parametrize(
    "body",
    [b"null", b"true", b"1", b'"text"', b"[]", b"[{}]", nested(900), nested(1000)],
    ids=lambda body: body[:10].decode(),
)
async def test_json_that_is_no_object_does_not_fit_the_schema(
    door: Door, rows: Callable[[], object], body: bytes
) -> None:
    before = rows()

    answer = await door.api.call("POST", door.path, data=body, Content_Type="application/json")

    assert (answer.status, answer.code) == (422, "VALIDATION_FAILED")
    assert answer.json["errors"][0]["pointer"] == ""
    assert rows() == before


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "APPLICATION/Json",
        'application/json; charset="UTF-8"',
        "application/vnd.acme.v1+json",
        "application/merge-patch+json; charset=utf-8",
    ],
)
async def test_every_kind_of_json_is_taken(door: Door, content_type: str) -> None:
    answer = await door.api.call(
        "POST", door.path, data=door.sound_body(), Content_Type=content_type
    )

    assert answer.status == 201


async def test_json_that_does_not_say_what_it_is_is_taken(door: Door) -> None:
    answer = await door.api.call("POST", door.path, data=door.sound_body())

    assert answer.status == 201


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "text/json",
        "application/xml",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "MULTIPART/MIXED",
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
        "application/problem",
        "json",
    ],
)
async def test_every_other_media_type_is_refused(
    door: Door, rows: Callable[[], object], content_type: str
) -> None:
    before = rows()

    answer = await door.api.call(
        "POST", door.path, data=door.sound_body(), Content_Type=content_type
    )

    assert (answer.status, answer.code) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert rows() == before


async def test_a_form_of_more_fields_than_anybody_would_parse_is_refused_like_any_other(
    door: Door,
) -> None:
    body = b"a=1&" * 5000

    answer = await door.api.call(
        "POST", door.path, data=body, Content_Type="application/x-www-form-urlencoded"
    )

    assert (answer.status, answer.code) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
async def test_who_is_calling_is_asked_before_what_the_body_is(
    door: Door, content_type: str
) -> None:
    answer = await door.api.called_with(None).call(
        "POST", door.path, data=b"a=1&" * 5000, Content_Type=content_type
    )

    assert (answer.status, answer.code) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "deflate", "br", "identity, gzip"])
async def test_a_compressed_body_is_refused(door: Door, encoding: str) -> None:
    answer = await door.api.call(
        "POST",
        door.path,
        data=door.sound_body(),
        Content_Type="application/json",
        Content_Encoding=encoding,
    )

    assert (answer.status, answer.code) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_a_body_of_exactly_one_mib_is_taken(door: Door) -> None:
    answer = await door.api.call(
        "POST", door.path, data=door.sound_body(MIB), Content_Type="application/json"
    )

    assert answer.status == 201


async def test_one_byte_more_is_too_large(door: Door, rows: Callable[[], object]) -> None:
    before = rows()

    async with door.api.session.post(
        door.api.base_url + door.path,
        data=io.BytesIO(door.sound_body(MIB + 1)),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {door.api.token}"},
    ) as response:
        answer = Answer(response.status, response.headers, await response.read())

    assert (answer.status, answer.code) == (413, "BODY_TOO_LARGE")
    assert rows() == before
    # Read to its end: the connection is good for the next request.
    assert answer.headers.get("Connection", "").lower() != "close"
    assert (await door.api.get("/health")).status == 200


@pytest.mark.parametrize(("length", "status"), [(MIB, 201), (MIB + 1, 413)])
async def test_a_body_in_chunks_is_measured_like_any_other(
    door: Door, length: int, status: int
) -> None:
    body = door.sound_body(length)
    pieces = (body[start : start + 100_000] for start in range(0, length, 100_000))

    answer = await answer_to(
        door.api,
        f"POST {door.path}",
        JSON,
        "Transfer-Encoding: chunked",
        body=chunked(pieces),
    )

    assert answer.status == status
    if status == 413:
        assert answer.code == "BODY_TOO_LARGE"


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
async def test_a_large_body_is_too_large_whatever_it_is(door: Door, content_type: str) -> None:
    body = b"x" * (MIB + 1)

    answer = await answer_to(
        door.api,
        f"POST {door.path}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
        body=[body],
    )

    assert (answer.status, answer.code) == (413, "BODY_TOO_LARGE")


async def test_a_body_of_20_mib_is_refused_by_its_announcement_alone(door: Door) -> None:
    announcement = request_head(
        door.api, f"POST {door.path}", JSON, f"Content-Length: {20 * MIB}", "X-Correlation-Id: big"
    )

    received, _ = await exchange(door.api, [announcement])

    answer = answer_of(received)
    assert (answer.status, answer.code) == (413, "BODY_TOO_LARGE")
    assert answer.json["correlation_id"] == "big"


async def test_a_body_of_absurd_length_is_refused_too(door: Door) -> None:
    answer = await answer_to(door.api, f"POST {door.path}", JSON, f"Content-Length: {10**18}")

    assert (answer.status, answer.code) == (413, "BODY_TOO_LARGE")


async def test_whoever_asks_first_is_not_told_to_go_on_with_20_mib(door: Door) -> None:
    asking = request_head(
        door.api, f"POST {door.path}", JSON, f"Content-Length: {20 * MIB}", "Expect: 100-continue"
    )

    received, _ = await exchange(door.api, [asking])

    assert received.startswith(b"HTTP/1.1 413 ")


async def test_a_body_without_end_is_not_read_without_end(door: Door) -> None:
    head = request_head(door.api, f"POST {door.path}", JSON, "Transfer-Encoding: chunked")
    without_end = chunked(itertools.repeat(b" " * 65_536, 1024))

    received, sent = await exchange(door.api, itertools.chain([head], without_end))

    answer = answer_of(received)
    assert (answer.status, answer.code) == (413, "BODY_TOO_LARGE")
    assert sent < 32 * MIB
    assert (await door.api.get("/health")).status == 200


async def test_a_body_that_is_cut_off_writes_nothing(
    door: Door, rows: Callable[[], object]
) -> None:
    before = rows()
    body = door.sound_body()
    head = request_head(door.api, f"POST {door.path}", JSON, f"Content-Length: {len(body) + 1}")

    received, _ = await exchange(door.api, [head, body], hang_up=True)

    assert b"201" not in received
    assert rows() == before
    assert (await door.api.get("/health")).status == 200
