"""Processes are found by their mark, ended for certain, and do not outlive their parent."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local_system import processes
from local_system.supervisor_configuration import launch_command

SLEEP = "import time; print('up', flush=True); time.sleep(60)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEP
PARENT = """
import subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)
child.stdout.readline()
print(child.pid, flush=True)
child.wait()
"""
PATIENCE_SECONDS = 10.0


@contextmanager
def running(command: list[str], mark: str = "") -> Iterator["subprocess.Popen[str]"]:
    """Start a process and wait until it has printed its first line."""
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, processes.MARK: mark},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def python(program: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", program, *arguments]


def first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_the_processes_of_a_system_are_found_and_no_others(tmp_path: Path) -> None:
    with (
        running(python(SLEEP), str(tmp_path)) as ours,
        running(python(SLEEP), f"{tmp_path}-beside") as others,
    ):
        first_line(ours), first_line(others)

        assert processes.marked(tmp_path) == [ours.pid]


def test_a_process_that_does_not_listen_is_ended_after_the_patience(tmp_path: Path) -> None:
    with running(python(DEAF), str(tmp_path)) as deaf:
        first_line(deaf)

        processes.stop(lambda: [deaf.pid], patience_seconds=0.2)

        assert deaf.wait(PATIENCE_SECONDS) == -signal.SIGKILL


def test_a_process_that_has_ended_does_not_run_though_nobody_asked_for_its_end() -> None:
    with running(python("print('up')")) as process:
        first_line(process)

        assert processes.gone([process.pid], PATIENCE_SECONDS)


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="the machine has no setpriv")
def test_a_bound_process_ends_with_its_parent_however_that_ends() -> None:
    bound = processes.bound_to_parent(python(SLEEP), "KILL")
    with running(python(PARENT, *bound)) as parent:
        child = int(first_line(parent))

        parent.kill()

        assert processes.gone([child], PATIENCE_SECONDS)


def test_the_launcher_becomes_the_program_with_exactly_its_environment(tmp_path: Path) -> None:
    program = "import json, os; print(json.dumps([os.getcwd(), dict(os.environ)]))"
    file = tmp_path / "program.json"
    environment = {"PATH": os.defpath, "PASSWORD": "a \"b\" 'c' %d; #e", "LC_CTYPE": "C.UTF-8"}
    file.write_text(
        json.dumps(
            {"command": python(program), "folder": str(tmp_path), "environment": environment}
        )
    )

    done = subprocess.run(
        shlex.split(launch_command(file)),
        env={**os.environ, "LEAKED": "x"},
        check=True,
        capture_output=True,
        text=True,
    )

    folder, seen = json.loads(done.stdout)
    assert folder == str(tmp_path.resolve())
    assert seen == environment
