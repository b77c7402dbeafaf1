"""The commands of the README, as somebody types them who has just started the system."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_system.system import LocalSystem
from tests import database_servers
from tests.documents.readme import read
from tests.running_systems import running_system, token_of

CHAPTERS = ("Try it", "Invoke the Lambda")
NOT_RUN = "ngrok "
LINES_OF_ITS_CALLS = '"correlation_id":"req-789"'
"""The logs have the id of the README's own examples once they were run."""

FAILS_ALOUD = 'set -euo pipefail; curl() { command curl --fail-with-body --max-time 60 "$@"; }'


@pytest.fixture
def new_system(tmp_path: Path) -> Iterator[LocalSystem]:
    """A system of its own: the commands name rows of the example data."""
    with running_system(database_servers.available()[0], tmp_path / "system") as started:
        yield started


def commands() -> str:
    chapters = [section for section in read("README.md") if section.title in CHAPTERS]
    assert [chapter.title for chapter in chapters] == list(CHAPTERS)
    blocks = [block.text for chapter in chapters for block in chapter.blocks]
    return "\n".join(block for block in blocks if not block.startswith(NOT_RUN))


def clone_of(system: LocalSystem, folder: Path) -> Path:
    """Return a folder that looks as a clone whose system runs: tokens, logs."""
    tokens = {"": token_of(system), "--service": system.values["customers_api"]["SERVICE_TOKEN"]}
    script = folder / "scripts" / "token"
    script.parent.mkdir(parents=True)
    cases = "".join(f'"{option}") echo {token} ;; ' for option, token in tokens.items())
    script.write_text(f'#!/bin/sh\ncase "$*" in {cases}esac\n')
    script.chmod(0o700)
    (folder / ".run").mkdir()
    (folder / ".run" / "logs").symlink_to(system.logs)
    return folder


def run_in(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", script],  # noqa: S607 - whichever bash the reader has
        cwd=folder,
        env={**os.environ, "NO_PROXY": "*"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_command_does_what_it_is_there_for_and_a_second_pass_is_refused_as_it_says(
    new_system: LocalSystem, tmp_path: Path
) -> None:
    script = commands()
    for usual, url in {
        "http://localhost:3000": new_system.gateway_url,
        "http://localhost:3001": new_system.customers_url,
        "http://localhost:9000": new_system.emulator_url,
    }.items():
        assert usual in script
        script = script.replace(usual, url)

    clone = clone_of(new_system, tmp_path / "clone")

    done = run_in(clone, f"{FAILS_ALOUD}\n{script}")
    again = run_in(clone, script)

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert (
        done.stdout.count('"status":"CONFIRMED"') + done.stdout.count('"status": "CONFIRMED"') == 3
    )
    assert done.stdout.count('"CANCELED"') == 1
    assert LINES_OF_ITS_CALLS in done.stdout
    refused = set(re.findall(r'"code": ?"([A-Z_]+)"', again.stdout))
    assert refused == {"PRECONDITION_FAILED", "CUSTOMER_NOT_FOUND", "ORDER_NOT_CONFIRMABLE"}
