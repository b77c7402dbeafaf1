"""What the logs of a system tell of failures that nobody had foreseen.

A run makes services lose their database and each other; what they say of that is listed here. Every
other warning or error, every trace, and every line that is no log line, is a defect of theirs.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

_FORESEEN = {
    "a worker ended",
    "answer broken off",
    "call not answered",
    "customers circuit opened",
    "database trouble",
    "emulator lost",
    "function failed",
    "function timed out",
    "invocation not answered in time",
    "purge of idempotency keys put off",
    "service unavailable",
    "the Customers API answered nonsense",
    "upstream call failed",
    "upstream refuses our calls",
}
_FINE = ("debug", "info")

# A service whose process was killed starts anew before the last of its workers has gone.
_OF_A_SERVICE = re.compile(r"\w+: cannot listen on port \d+: Address already in use")
_OF_AN_EMULATOR = re.compile(r"(START|END|REPORT) RequestId: |[^\[\]{}]* \[[A-Z]+\] \(rapid\) ")


# An emulator that gets an invocation while it has one dies of it (see gateway/emulator_pool.py);
# AWS's runtime ends with its emulator, and says so. Both leave traces of their own.
_LAST_WORDS = re.compile(
    r"panic: |\[ERROR\] \[\d+\] LAMBDA_RUNTIME Failed to get next invocation\."
)


def defects(logs: Path) -> list[str]:
    """Return the lines of all services, the gateway and the functions that are not foreseen."""
    return [
        f"{file.name}: {line}"
        for service, find in _FINDERS.items()
        for file in sorted(logs.glob(f"{service}*.log*"))
        for line in find(_lines(file))
    ]


def _of_a_service(lines: Iterable[str]) -> Iterator[str]:
    return (line for line in lines if not (_OF_A_SERVICE.match(line) or _is_foreseen(line)))


def _of_an_emulator(lines: Iterable[str]) -> Iterator[str]:
    is_dying = False
    for line in lines:
        is_known = bool(_OF_AN_EMULATOR.match(line)) or _is_foreseen(line)
        is_dying = bool(_LAST_WORDS.match(line)) or (is_dying and not is_known)
        if not is_dying and not is_known:
            yield line


_FINDERS = {
    "customers": _of_a_service,
    "orders": _of_a_service,
    "gateway": _of_a_service,
    "emulator-": _of_an_emulator,
}


def _is_foreseen(line: str) -> bool:
    """Whether a line is an event that broken surroundings explain, or none of failure at all."""
    try:
        event = json.loads(line)
    except ValueError:
        return False
    if not isinstance(event, dict) or "exception" in event:
        return False
    return event.get("level") in _FINE or event.get("event") in _FORESEEN


def _lines(file: Path) -> Iterator[str]:
    for line in file.read_text(errors="replace").splitlines():
        if line.strip():
            yield line
