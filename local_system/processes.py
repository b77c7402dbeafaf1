"""Processes of one system: found by a mark in their environment, never by their name."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

MARK = "BACK_OFFICE_RUN_DIR"
"""Every process of a system has this variable, with the system's run folder as its value."""

_PROC = Path("/proc")
_POLL_SECONDS = 0.05


def marked(run_dir: Path) -> list[int]:
    """Return the ids of all processes of the system, whoever their parent is now."""
    mark = f"{MARK}={run_dir}".encode()
    return [
        int(folder.name)
        for folder in _PROC.iterdir()
        if folder.name.isdigit() and mark in _environment(folder)
    ]


def is_alive(pid: int) -> bool:
    """Say whether the process still runs; one that ended and waits for its parent does not."""
    try:
        status = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}


def stop(find: Callable[[], list[int]], patience_seconds: float) -> None:
    """Ask the processes that are found to end, and end those that have not after the patience.

    They are looked for anew before they are killed: an id may be somebody else's by then.
    """
    pids = find()
    _signal(pids, signal.SIGTERM)
    if not gone(pids, patience_seconds):
        pids = find()
        _signal(pids, signal.SIGKILL)
        gone(pids, patience_seconds)


def gone(pids: Iterable[int], patience_seconds: float) -> bool:
    """Wait until none of the processes runs any more; say whether that came about."""
    pids = list(pids)
    return wait_until(lambda: not any(map(is_alive, pids)), patience_seconds)


def wait_until(condition: Callable[[], bool], patience_seconds: float) -> bool:
    """Wait until the condition holds; say whether that came about."""
    deadline = time.monotonic() + patience_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def bound_to_parent(command: Sequence[str], signal_name: str) -> list[str]:
    """Return the command so that the kernel signals it when its parent ends, however it ends.

    Without it a server outlives a parent that was killed with SIGKILL. Where the system has no
    such command, the given one is returned as it is.
    """
    setpriv = _setpriv()
    return [setpriv, "--pdeathsig", signal_name, *command] if setpriv else list(command)


def _environment(folder: Path) -> list[bytes]:
    try:
        return (folder / "environ").read_bytes().split(b"\0")
    except OSError:  # ended meanwhile, or another user's
        return []


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


@cache
def _setpriv() -> str | None:
    program = shutil.which("setpriv")
    if program is None:
        return None
    shown = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)
    return program if "--pdeathsig" in shown.stdout else None
