"""The health check of a container: exit code 0 for an answer of 200, and for nothing else."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


class _Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(int(self.path.strip("/")))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Leave standard error to the test."""


@contextmanager
def service() -> Iterator[int]:
    """Answer each path with the status that it names; yield the port."""
    with HTTPServer(("127.0.0.1", 0), _Health) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def probe(port: int, path: str, **variables: str) -> int:
    """Return the exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "service_kit.probe", "A_PORT", path],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "A_PORT": str(port), **variables},
        capture_output=True,
        check=False,
    )
    assert done.stderr == b""
    return done.returncode


@pytest.mark.parametrize(("status", "code"), [(200, 0), (204, 1), (302, 1), (503, 1)])
def test_only_an_answer_of_200_is_good(status: int, code: int) -> None:
    with service() as port:
        assert probe(port, f"/{status}") == code


def test_nobody_there_is_not_good() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))

        assert probe(taken.getsockname()[1], "/200") == 1


def test_a_proxy_of_the_environment_is_not_asked() -> None:
    with service() as port:
        assert (
            probe(port, "/200", http_proxy="http://127.0.0.1:9", HTTP_PROXY="http://127.0.0.1:9")
            == 0
        )
