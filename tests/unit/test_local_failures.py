import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(program: str, output: int, **variables: str) -> tuple[int, str]:
    """Run a verb that writes to a file descriptor; return its exit code and what it complained."""
    done = subprocess.run(
        [sys.executable, "-c", f"from local_system.failures import *\n{program}"],
        cwd=ROOT,
        env={**os.environ, **variables},
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.fixture
def unread_pipe() -> int:
    """Return the end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "verb",
    ["run_verb(lambda: print('up') or 0)", "run_verb(lambda: print('usage') or sys.exit(0))"],
)
def test_nothing_is_said_when_the_reader_has_enough(
    verb: str, unbuffered: str, unread_pipe: int
) -> None:
    assert run(verb, unread_pipe, PYTHONUNBUFFERED=unbuffered) == (141, "")


def test_a_connection_that_was_cut_is_not_taken_for_a_reader_that_has_enough() -> None:
    program = "def cut(): raise BrokenPipeError('a socket')\nrun_verb(cut)"

    code, complaint = run(program, subprocess.DEVNULL)

    assert code == 1
    assert "BrokenPipeError: a socket" in complaint


def test_a_failure_is_one_line_and_exit_code_1() -> None:
    program = "def fail(): raise LocalSystemError('do this')\nrun_verb(fail)"

    assert run(program, subprocess.DEVNULL) == (1, "error: do this\n")
