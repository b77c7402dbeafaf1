"""Chance at every door: bytes that no client would send, and events that no gateway would make.

Each goes on for some seconds, and for a minute with ``--long``; TEST_SEED repeats a run.
"""

import asyncio
import json
import logging
import re
import time
from collections import Counter
from typing import Any

import pytest
import structlog
from tornado.ioloop import IOLoop

from orchestrator_image.function import SCHEMAS
from orchestrator_image.workflow import Workflow
from service_kit.problems import UpstreamUnavailable
from service_kit.schemas import Schemas
from tests import database_servers
from tests.apis import Api, token
from tests.integration.gateway_calls import ORCHESTRATION, System
from tests.integration.orchestrator_calls import Context, an_order, http_event, orchestrator
from tests.integration.raw_http import exchange
from tests.mutations import LONG_SECONDS, Mutations, seconds_of
from tests.plans import random_plan

pytestmark = pytest.mark.timeout(LONG_SECONDS + 120)

AT_ONCE = 8
TELLING = {200, 201, 204, 302, 304, 400, 401, 403, 404, 405, 408, 409, 412, 413, 415, 422, 431}
"""What a request can be told, however odd it is. Not 500: nobody has made a mistake but the client;
nor 503, since nothing is missing."""

AUTHORIZED = f"Host: a\r\nAuthorization: Bearer {token()}\r\nContent-Type: application/json\r\n"
KEY = "X-Idempotency-Key: a-key\r\n"
REQUESTS = [
    "GET /health HTTP/1.1\r\nHost: a\r\n\r\n",
    f"GET /customers?search=acme&limit=5 HTTP/1.1\r\n{AUTHORIZED}\r\n",
    f'GET /customers/1 HTTP/1.1\r\n{AUTHORIZED}If-None-Match: "1"\r\n\r\n',
    f"GET /orders?status=CREATED&from=2026-01-01&customer_id=1 HTTP/1.1\r\n{AUTHORIZED}\r\n",
]
BODIES = {
    "POST /customers": {"name": "ACME", "email": "ops@acme.com", "phone": "+34 91"},
    "PUT /customers/1": {"name": "ACME", "email": "ops@acme.com"},
    "POST /products": {"sku": "A-1", "name": "A", "price_cents": 1, "stock": 1},
    "PATCH /products/1": {"stock_delta": -1},
    "POST /orders": {"customer_id": 1, "items": [{"product_id": 1, "qty": 1}]},
    "POST /orders/1/confirm": {},
    f"POST {ORCHESTRATION}": an_order(),
}
WORDS = [
    *(b"\r\n", b"\n", b"\r", b"\0", b"\t", b" ", b":", b"%", b"%00", b"%2e%2e/", b"../", b"\xff"),
    *(b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n"),
    *(b"Connection: close\r\n", b"Content-Encoding: gzip\r\n", b"Host: b\r\n", b"HTTP/1.0"),
    *(b"-1", b"0", b"1e400", b"99999999999999999999999", b"NaN", b"null", b"true", b"\\ud800"),
    *(b"{", b"}", b"[" * 2000, b'"', b"\\", b"'", b";--", b"\xc3\x28", "é漢🚲".encode()),
    *(b"Bearer ", b"Basic ", b"a.b.c", b"If-Match: *\r\n", b"limit=0&", b"cursor=x&", b"x" * 3000),
]


def requests() -> list[bytes]:
    """Return sound requests, each kind of body both ways: with its length, and in chunks."""
    whole = [request.encode() for request in REQUESTS]
    for line, value in BODIES.items():
        body = json.dumps(value)
        head = f"{line} HTTP/1.1\r\n{AUTHORIZED}{KEY}"
        whole.append(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        chunks = f"{len(body):x}\r\n{body}\r\n0\r\n\r\n"
        whole.append(f"{head}Transfer-Encoding: chunked\r\n\r\n{chunks}".encode())
    return whole


@pytest.fixture
def gateway(io_loop: IOLoop, system: System) -> Api:
    async def start() -> Api:
        return await system.gateway(RATE_LIMIT="off")

    api: Api = io_loop.run_sync(start)
    return api


async def told(api: Api, requests: Mutations, seconds: float) -> Counter[int]:
    """Send mutations until the time is up; return which statuses came how often."""
    statuses: Counter[int] = Counter()
    turns = requests.until(time.monotonic() + seconds)

    async def one_after_the_other() -> None:
        for request in turns:
            received, _ = await exchange(api, [request], hang_up=True)
            found = [int(code) for code in re.findall(rb"(?m)^HTTP/1\.1 (\d{3}) ", received)]
            statuses.update(found)
            assert set(found) <= TELLING | {100}, (request, received)
            assert b"Traceback" not in received, request

    await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))
    return statuses


@pytest.fixture
def doors(customers: Api, orders: Api, gateway: Api) -> dict[str, Api]:
    return {"customers": customers, "orders": orders, "gateway": gateway}


@pytest.mark.parametrize(
    "database", database_servers.available()[:1], indirect=True, scope="session"
)
@pytest.mark.parametrize("name", ["customers", "orders", "gateway"])
def test_no_bytes_upset_the_reader_of_requests(
    name: str,
    doors: dict[str, Api],
    request: pytest.FixtureRequest,
    io_loop: IOLoop,
    caplog: pytest.LogCaptureFixture,
) -> None:
    api = doors[name]
    mutations = Mutations(random_plan(), requests(), WORDS)
    seconds = seconds_of(request.config)

    with structlog.testing.capture_logs() as lines:
        statuses = io_loop.run_sync(lambda: told(api, mutations, seconds), timeout=seconds + 60)
        health = io_loop.run_sync(lambda: api.get("/health/live"))

    print(f"{name}: {statuses.total()} answers: {dict(sorted(statuses.items()))}")
    assert health.status == 200
    assert statuses.total() > 50
    assert len(statuses) > 3, "hardly anything got past the first line"
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert [line for line in lines if line["log_level"] in {"error", "critical"}] == []


EVENTS = [
    an_order(),
    http_event(),
    http_event(an_order(correlation_id=None), isBase64Encoded=True, body="e30="),
    {"requestContext": {}, "multiValueHeaders": {"Authorization": ["a", "b"]}, "body": None},
]
EVENT_WORDS = [
    *(b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\\u0000", b"\\ud800", b"null", b"true"),
    *(b"-0", b"1e999", b"0.1", b"9007199254740993", b"NaN", b'"requestContext":{},', b'"":1,'),
    *(b'"headers":{"authorization":"Bearer x"},', b'"isBase64Encoded":true,', b'"body":"%%%%",'),
    *(b"[" * 300, b"=" * 3, "é漢🚲".encode(), b"\xff"),
]


def test_no_event_upsets_the_function(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody_answers(*_arguments: Any) -> Any:
        raise UpstreamUnavailable

    monkeypatch.setattr(Workflow, "create_and_confirm", nobody_answers)
    failures = Schemas(SCHEMAS).validator("OrchestrationFailed")
    examples = [json.dumps(event).encode() for event in EVENTS]
    mutations = Mutations(random_plan(), examples, EVENT_WORDS)
    codes: Counter[str] = Counter()
    with orchestrator("http://127.0.0.1:1") as function:
        for data in mutations.until(time.monotonic() + seconds_of(request.config)):
            try:
                event = json.loads(data)
            except (ValueError, RecursionError):
                # The runtime refuses it; as the body of a request it is for the function to refuse.
                event = http_event(body=data.decode("latin-1"))
            answer = function.invoke(event, Context())
            is_http = isinstance(event, dict) and "requestContext" in event
            document = json.loads(answer["body"]) if is_http else answer
            failures.check(document)
            codes[document["error"]["code"]] += 1

    print(f"{codes.total()} events: {dict(codes)}")
    assert codes.total() > 200
    assert "INTERNAL_ERROR" not in codes
    assert {"INVALID_JSON", "VALIDATION_FAILED", "UPSTREAM_UNAVAILABLE"} <= set(codes)
