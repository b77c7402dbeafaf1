"""The function in a process of its own under the Lambda runtime client, as in the image."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from tests.integration.orchestrator_calls import JWT, an_order, body_of, http_event, token
from tests.integration.orchestrator_upstreams import (
    SERVICE_TOKEN,
    BackOffice,
    HangsUp,
)

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 30


class RuntimeApi(ThreadingHTTPServer):
    """The part of the Lambda Runtime API that a function talks to.

    Source: AWS, "Using the Lambda runtime API for custom runtimes".
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _RuntimeCall)
        self.events: Queue[bytes] = Queue()
        self.answers: Queue[tuple[str, bytes]] = Queue()

    def invoke(self, event: bytes) -> tuple[str, Any]:
        """Return "response" or "error", and the JSON that the function gave."""
        self.events.put(event)
        kind, data = self.answers.get(timeout=PATIENCE_SECONDS)
        return kind, json.loads(data)


class _RuntimeCall(BaseHTTPRequestHandler):
    server: RuntimeApi

    def do_GET(self) -> None:
        self._say(200, self.server.events.get())

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._say(202, b"{}")
        self.server.answers.put((self.path.rpartition("/")[2], data))

    def log_message(self, *_arguments: Any) -> None:
        """Leave standard error to the test."""

    def _say(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 20_000))
        self.end_headers()
        self.wfile.write(data)


class RunningFunction:
    """A process, and the lines that it wrote."""

    def __init__(self, api: RuntimeApi, process: subprocess.Popen[str]) -> None:
        self.invoke = api.invoke
        self.answers = api.answers
        self._process = process

    def exit_code(self) -> int:
        return self._process.wait(PATIENCE_SECONDS)

    def output(self) -> list[str]:
        self._process.kill()
        return self._process.communicate()[0].splitlines()


@contextmanager
def function_process(base_url: str, **variables: str) -> Iterator[RunningFunction]:
    api = RuntimeApi()
    thread = threading.Thread(target=api.serve_forever, args=(0.01,))
    thread.start()
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_address[1]}",
        "CUSTOMERS_API_BASE": base_url,
        "ORDERS_API_BASE": base_url,
        "SERVICE_TOKEN": SERVICE_TOKEN,
        "JWT_SECRET": JWT.secrets[0],
        "JWT_ISSUER": JWT.issuer,
        "JWT_AUDIENCE": JWT.audience,
        **variables,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "awslambdaric", "orchestrator_image.app.handler"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            yield RunningFunction(api, process)
        finally:
            process.kill()
            api.shutdown()
            thread.join()
            api.server_close()


def test_orders_are_confirmed_one_invocation_after_the_other(services: BackOffice) -> None:
    with function_process(services.base_url) as function:
        bare_kind, bare = function.invoke(json.dumps(an_order(idempotency_key="one")).encode())
        http_kind, proxy = function.invoke(
            json.dumps(http_event(an_order(idempotency_key="two"))).encode()
        )

    assert (bare_kind, http_kind) == ("response", "response")
    assert bare["data"]["order"]["id"] == 101
    assert proxy["statusCode"] == 201
    assert body_of(proxy)["data"]["order"]["id"] == 102
    assert len({call.connection for call in services.received}) == 1


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (b"null", "VALIDATION_FAILED"),
        (b'"text"', "VALIDATION_FAILED"),
        (b'{"\\ud800": "\\udfff"}', "VALIDATION_FAILED"),
        (b'{"customer_id": 1e999}', "VALIDATION_FAILED"),
        (b"[" * 200_000 + b"]" * 200_000, "INVALID_JSON"),
        (b'{"customer_id": ' + b"1" * 5000 + b"}", "INVALID_JSON"),
    ],
)
@pytest.mark.parametrize("runtime", [{}, {"AWS_EXECUTION_ENV": "AWS_Lambda_python3.13"}])
def test_no_json_event_is_an_error_of_the_function(
    services: BackOffice, event: bytes, code: str, runtime: dict[str, str]
) -> None:
    with function_process(services.base_url, **runtime) as function:
        kind, answer = function.invoke(event)
        still_kind, still = function.invoke(json.dumps(an_order()).encode())

    assert (kind, answer["error"]["code"]) == ("response", code)
    assert (still_kind, still["success"]) == ("response", True)


def test_no_depth_of_nesting_is_an_error_of_the_function(services: BackOffice) -> None:
    # Between what the parser just takes and what it does not lies what is too deep for the code
    # behind it, which starts from a deeper stack.
    depths = [*range(900, 1010, 5), 2000, 5000, 9000]
    with function_process(services.base_url) as function:
        codes = set()
        for depth in depths:
            event = b'{"customer_id": ' + b"[" * depth + b"]" * depth + b"}"
            kind, answer = function.invoke(event)
            assert kind == "response"
            codes.add(answer["error"]["code"])

    assert codes <= {"VALIDATION_FAILED", "INVALID_JSON"}


def test_every_line_of_the_log_is_json_once_and_holds_no_secret(services: BackOffice) -> None:
    credential = token()
    event = http_event()
    event["headers"]["authorization"] = f"Bearer {credential}"
    with function_process(services.base_url) as function:
        function.invoke(json.dumps(event).encode())
        services.plan("create", *[HangsUp()] * 4)
        function.invoke(json.dumps(an_order(idempotency_key="the-second-key")).encode())
        lines = function.output()

    records = [json.loads(line) for line in lines]
    assert [record["event"] for record in records].count("invocation") == 2
    assert {record["correlation_id"] for record in records} == {"req-789"}
    assert len(set(lines)) == len(lines)
    for secret in (SERVICE_TOKEN, JWT.secrets[0], credential, "abc-123", "the-second-key"):
        assert secret not in "\n".join(lines)


def test_without_its_settings_the_function_does_not_start() -> None:
    with function_process("", SERVICE_TOKEN="", JWT_SECRET="too-short") as function:
        exit_code = function.exit_code()
        kind, answer = function.answers.get(timeout=PATIENCE_SECONDS)
        lines = function.output()

    assert exit_code != 0
    assert (kind, json.loads(answer)["errorType"]) == ("error", "SettingsError")
    record = json.loads(lines[0])
    assert record["event"] == "settings are wrong"
    assert sorted(mistake.split()[0] for mistake in record["mistakes"]) == [
        "CUSTOMERS_API_BASE",
        "JWT_SECRET",
        "ORDERS_API_BASE",
        "SERVICE_TOKEN",
    ]
    assert "too-short" not in "\n".join(lines)
