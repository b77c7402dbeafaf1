"""What a process writes: JSON lines with the correlation id, and no secret in any of them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 20

SECRETS = {
    "JWT_SECRET": "a-signing-secret-that-nobody-may-ever-see",
    "SERVICE_TOKEN": "a-service-token-that-nobody-may-see",
    "MYSQL_PASSWORD": "a-database-password-that-nobody-may-see",
}

PROGRAM = """
import logging
import structlog
from service_kit import correlation, logs

logs.configure("a_service", {level!r})
correlation.current.set("request-1")
{body}
"""


def lines_of(body: str, level: str = "INFO") -> list[dict[str, Any]]:
    """Run statements in a process that logs; return its lines."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(level=level, body=body)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.removesuffix("\n").split("\n") if line]


def test_work_goes_on_when_nobody_takes_the_lines_any_more() -> None:
    body = "for n in range(3): structlog.get_logger().warning('sold', units=n)\n"
    body += "logging.getLogger('a_library').warning('sold')\n"
    body += "print('done', file=__import__('sys').stderr); __import__('os')._exit(0)"
    reading, writing = os.pipe()
    os.close(reading)
    with closing(os.fdopen(writing, "wb")) as broken:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM.format(level="INFO", body=body)],
            cwd=ROOT,
            check=True,
            stdout=broken,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.stderr.splitlines()[-1] == "done"


def test_a_line_is_one_object_with_time_level_service_and_correlation_id() -> None:
    (line,) = lines_of("structlog.get_logger().info('sold', units=3, to='Café')")

    assert line.pop("time").endswith("Z")
    assert line == {
        "event": "sold",
        "level": "info",
        "service": "a_service",
        "correlation_id": "request-1",
        "units": 3,
        "to": "Café",
    }


def test_lines_of_libraries_look_the_same() -> None:
    (line,) = lines_of("logging.getLogger('asyncio').warning('slow by %d s', 2)")

    assert line.pop("time").endswith("Z")
    assert line == {
        "event": "slow by 2 s",
        "level": "warning",
        "logger": "asyncio",
        "service": "a_service",
        "correlation_id": "request-1",
    }


def test_outside_of_a_request_a_line_has_no_correlation_id() -> None:
    (line,) = lines_of("correlation.current.set(''); structlog.get_logger().info('serving')")

    assert "correlation_id" not in line


def test_a_text_with_line_feeds_stays_on_its_line() -> None:
    (line,) = lines_of("structlog.get_logger().info('one\\ntwo\\u2028three\\r\\n')")

    assert line["event"] == "one\ntwo\u2028three\r\n"


def test_a_trace_is_part_of_its_line() -> None:
    (line,) = lines_of(
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n"
        "    structlog.get_logger().exception('it broke')"
    )

    assert line["level"] == "error"
    assert "ZeroDivisionError" in line["exception"]


@pytest.mark.parametrize(
    "value", ["2**70", "'\\ud800'", "{1: b'x'}", "object()", "float('nan')", "{1, 2}", "[2**70]"]
)
def test_no_value_is_too_odd_to_be_logged(value: str) -> None:
    (line,) = lines_of(f"structlog.get_logger().info('odd', value={value})")

    assert line["event"] == "odd"


@pytest.mark.parametrize(
    ("level", "written"), [("DEBUG", ["d", "i", "w"]), ("INFO", ["i", "w"]), ("WARNING", ["w"])]
)
def test_lines_below_the_level_are_left_out(level: str, written: list[str]) -> None:
    lines = lines_of(
        "log = structlog.get_logger(); log.debug('d'); log.info('i'); log.warning('w')", level
    )

    assert [line["event"] for line in lines] == written


def test_the_chatter_of_libraries_is_left_out() -> None:
    assert lines_of("logging.getLogger('asyncio').info('poll took 0.1 ms')", "DEBUG") == []


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running_customers_api(port: int) -> Iterator["subprocess.Popen[str]"]:
    """Run the Customers API without a database, and be sure that it ends."""
    variables = {
        **SECRETS,
        "PATH": os.environ["PATH"],
        "JWT_ISSUER": "issuer",
        "JWT_AUDIENCE": "audience",
        "MYSQL_HOST": "127.0.0.1",
        "MYSQL_PORT": str(free_port()),
        "MYSQL_DATABASE": "backoffice",
        "MYSQL_USER": "somebody",
        "CUSTOMERS_PORT": str(port),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "customers_api"],
        cwd=ROOT,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def call(port: int, path: str, **headers: str) -> int:
    """Call the service as soon as it listens; return the status."""
    address = f"http://127.0.0.1:{port}{path}"
    request = urllib.request.Request(
        address, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )
    end = time.monotonic() + SECONDS
    while True:
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as response:
                return int(response.status)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code
        except urllib.error.URLError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def test_a_service_logs_its_requests_under_their_ids_and_none_of_its_secrets() -> None:
    port = free_port()
    token = "a-bearer-token-that-nobody-may-see"
    with running_customers_api(port) as process:
        assert call(port, "/health/live") == 200
        assert call(port, "/health") == 503
        assert call(port, "/customers", Authorization=f"Bearer {token}") == 401
        service = {"Authorization": f"Bearer {SECRETS['SERVICE_TOKEN']}"}
        assert call(port, "/internal/customers/1", X_Correlation_Id="mine-1", **service) == 503
        assert call(port, "/customers?search=a-name-of-somebody", X_Correlation_Id="mine-2") == 401
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=SECONDS)

    assert (process.returncode, errors) == (0, "")
    lines = [json.loads(line) for line in output.removesuffix("\n").split("\n")]
    assert {line["service"] for line in lines} == {"customers_api"}
    assert [line["event"] for line in lines][-2:] == ["stopping", "stopped"]
    of_mine = [line for line in lines if line.get("correlation_id") == "mine-1"]
    assert [line["event"] for line in of_mine] == ["database trouble", "request"]
    assert of_mine[1]["path"] == "/internal/customers/1"
    assert (of_mine[1]["method"], of_mine[1]["status"]) == ("GET", 503)
    assert of_mine[1]["duration_ms"] > 0
    assert [line["path"] for line in lines if line.get("correlation_id") == "mine-2"] == [
        "/customers"
    ]
    for secret in (*SECRETS.values(), token, "a-name-of-somebody"):
        assert secret not in output


def test_a_service_that_cannot_start_says_why_in_plain_words_and_without_a_trace() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "customers_api"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "JWT_SECRET": "much-too-short"},
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert "SERVICE_TOKEN is required" in done.stderr
    assert "JWT_SECRET each secret must have 32 bytes at least" in done.stderr
    assert "much-too-short" not in done.stderr
    assert "Traceback" not in done.stderr
