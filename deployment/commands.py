"""Commands of others that the deployment runs; what they print goes to standard error."""

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from local_system.failures import LocalSystemError


def run(command: Sequence[str], folder: Path, *, given: str | None = None) -> None:
    """Run a command that a person may watch.

    Raises:
        LocalSystemError: it failed; what it printed stands above.
    """
    done = subprocess.run(
        command,
        cwd=folder,
        input=given,
        stdin=subprocess.DEVNULL if given is None else None,
        stdout=sys.stderr,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise LocalSystemError(f"failed, see above: {shlex.join(command)}")


def printed(command: Sequence[str], folder: Path) -> str:
    """Return what a command printed on standard output, stripped.

    Raises:
        LocalSystemError: it failed, or is not there; with what it complained.
    """
    what = shlex.join(command[:2])  # no further: a value behind it may be secret
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as missing:
        raise LocalSystemError(f"cannot run {what}: {missing}") from missing
    if done.returncode != 0:
        raise LocalSystemError(f"{what} failed: {done.stderr.strip()}")
    return done.stdout.strip()


def output(command: Sequence[str], folder: Path) -> str | None:
    """Return what a command printed, stripped; None if it failed or is not there."""
    try:
        return printed(command, folder)
    except LocalSystemError:
        return None
