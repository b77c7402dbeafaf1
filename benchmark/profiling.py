"""Where the time of a call goes: a flame graph of the serving process, and its first lines."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

from benchmark.calls import Call
from benchmark.ratios import CONNECTIONS
from benchmark.stand import Stand
from benchmark.wrk import burst
from local_system.failures import LocalSystemError
from local_system.programs import ORDERS

_SAMPLES_A_SECOND = 500
_START_SECONDS = 2
_PATIENCE_SECONDS = 30
_TOP = 10


def profile(stand: Stand, call: Call, seconds: int, flame_graph: Path) -> list[str]:
    """Load the Orders API with a call, write its flame graph (SVG), return the top lines.

    A line has the share of the samples in which a function itself was running, and its name.

    Raises:
        LocalSystemError: py-spy may not look into the process.
    """
    stacks = flame_graph.with_suffix(".stacks")
    _record(stand, call, seconds, "flamegraph", flame_graph)
    _record(stand, call, seconds, "raw", stacks)
    return top_lines(stacks.read_text())


def top_lines(stacks: str) -> list[str]:
    """Return the functions that run most often, from stacks with their counts.

    A line of the text is ``outer;inner;innermost 17``.
    """
    running: Counter[str] = Counter()
    for line in stacks.splitlines():
        stack, _, count = line.rpartition(" ")
        running[stack.rpartition(";")[2]] += int(count)
    return [f"{count / running.total():6.1%}  {name}" for name, count in running.most_common(_TOP)]


def _record(stand: Stand, call: Call, seconds: int, form: str, file: Path) -> None:
    under_load = _START_SECONDS + seconds
    load = call.prepare(stand, under_load)
    command = [
        str(Path(sys.executable).with_name("py-spy")),
        "record",
        f"--pid={stand.account(ORDERS).pid}",
        f"--duration={seconds}",
        f"--rate={_SAMPLES_A_SECOND}",
        f"--format={form}",
        f"--output={file}",
        *(["--function"] if form == "raw" else []),
    ]
    with subprocess.Popen(  # our own command line
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as recorder:
        burst(load, CONNECTIONS, under_load)
        _, complaint = recorder.communicate(timeout=_PATIENCE_SECONDS)
    if recorder.returncode != 0:
        raise LocalSystemError(
            f"py-spy could not look into the Orders API (root can): {complaint.decode().strip()}"
        )
