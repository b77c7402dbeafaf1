"""The Postman collection, run by newman against the running system."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from local_system.postman import COLLECTION
from local_system.system import LocalSystem
from tests.documents import newman_runs
from tests.documents.newman_runs import Run
from tests.documents.postman_collection import ROOT, Call, calls, collection


@pytest.fixture(scope="module")
def first_run(system: LocalSystem, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("newman")
    return newman_runs.run(ROOT / COLLECTION, newman_runs.values_of(system), folder)


def test_every_request_is_answered_as_it_expects(first_run: Run) -> None:
    assert first_run.sentences == []
    assert first_run.exit_code == 0
    assert first_run.responses.keys() == {call.identity for call in calls()}


def test_it_can_be_run_again_at_once(first_run: Run, system: LocalSystem, tmp_path: Path) -> None:
    again = newman_runs.run(ROOT / COLLECTION, newman_runs.values_of(system), tmp_path)

    assert (again.sentences, again.exit_code) == ([], 0)
    assert len(again.responses) == len(first_run.responses)


@pytest.mark.parametrize("call", [call for call in calls() if call.examples], ids=lambda c: c.place)
def test_a_saved_example_has_the_form_of_what_is_answered(call: Call, first_run: Run) -> None:
    answered = first_run.responses[call.identity]

    for example in call.examples:
        assert example["code"] == answered.status
        assert form(json.loads(example["body"])) == form(json.loads(answered.body))


def test_a_broken_expectation_is_told(system: LocalSystem, tmp_path: Path) -> None:
    document = collection()
    folder = document["item"][1]
    first = folder["item"][0]
    script = first["event"][-1]["script"]
    script["exec"] = [line.replace("status(201)", "status(200)") for line in script["exec"]]
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps(document), encoding="utf-8")

    run = newman_runs.run(
        broken, newman_runs.values_of(system), tmp_path, "--folder", folder["name"]
    )

    assert run.exit_code == 1
    assert [failure.identity for failure in run.failures] == [first["id"]]
    assert re.search(r"expected .*200.* but got 201", run.sentences[0])


def test_every_request_notices_an_answer_that_is_not_the_right_one(tmp_path: Path) -> None:
    with a_server_that_says_yes_to_everything() as url:
        values = {
            **dict.fromkeys(("gateway_url", "customers_url", "orders_url", "emulator_url"), url),
            **dict.fromkeys(("token", "viewer_token", "service_token"), "a-token"),
        }
        run = newman_runs.run(ROOT / COLLECTION, values, tmp_path)

    noticed = {failure.identity for failure in run.failures}
    assert [call.place for call in calls() if call.identity not in noticed] == []


def form(value: Any) -> Any:
    """Return a JSON value with the types of its members in place of themselves."""
    if isinstance(value, dict):
        return {name: form(member) for name, member in value.items()}
    if isinstance(value, list):
        return [form(member) for member in value]
    return type(value).__name__


class _Yes(BaseHTTPRequestHandler):
    """200 and an empty object, with a sound correlation id: what a careless check takes."""

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Correlation-Id", "yes")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - http.server's names

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's
        pass


@contextmanager
def a_server_that_says_yes_to_everything() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Yes) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
