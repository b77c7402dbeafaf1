"""The load generator: wrk, from Debian. Requests and checks are in `calls.lua`."""

import os
import random
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local_system import debian_packages
from local_system.failures import LocalSystemError
from local_system.progress import Progress

_SCRIPT = Path(__file__).with_name("calls.lua")
_PATIENCE_SECONDS = 30
_STATUS = "status"
_MILLISECOND = 1000  # wrk counts microseconds


@dataclass(frozen=True, slots=True)
class Load:
    """Who is asked for what: the script's request, what each answer must be, what it asks about."""

    url: str
    request: str
    token: str = field(default="none", repr=False)
    statuses: tuple[int, ...] = (200,)
    text: str = ""
    customers: range = range(1, 2)
    products: range = range(1, 2)
    orders: range = range(1, 2)
    path: str = "/"

    def variables(self) -> dict[str, str]:
        """Return what the script reads."""
        return {
            "BENCH_CALL": self.request,
            "BENCH_TOKEN": self.token,
            "BENCH_STATUSES": ",".join(map(str, self.statuses)),
            "BENCH_TEXT": self.text,
            "BENCH_CUSTOMERS": _ids(self.customers),
            "BENCH_PRODUCTS": _ids(self.products),
            "BENCH_ORDERS": _ids(self.orders),
            "BENCH_PATH": self.path,
            "BENCH_RUN": secrets.token_hex(8),
            "BENCH_SEED": str(random.randrange(2**31)),
        }


@dataclass(frozen=True, slots=True)
class Burst:
    """What came of a load: all answers were as expected, or `burst` has raised."""

    requests: int
    seconds: float
    checked: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    statuses: Mapping[int, int]

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


class WrongAnswersError(Exception):
    """The system did not answer as it must: its speed would mean nothing."""


def find_or_install(log: Path, progress: Progress) -> str:
    """Return the program; install it by apt when there is none.

    Raises:
        LocalSystemError: there is none and it cannot be installed.
    """
    return debian_packages.found_or_installed(
        lambda: shutil.which("wrk"),
        ("wrk",),
        "load generator",
        "apt-get install wrk",
        log,
        progress,
    )


def burst(load: Load, connections: int, seconds: int) -> Burst:
    """Send requests over so many connections for so long, as fast as they are answered.

    Raises:
        WrongAnswersError: an answer was not what it must be, or did not come.
    """
    result, output = _run(load, connections, seconds)
    wrong, broken = int(result["wrong"]), int(result["broken"])
    if wrong or broken or not int(result["requests"]):
        raise WrongAnswersError(
            f"{load.request}: {wrong} wrong answers and {broken} broken connections among "
            f"{result['requests']} requests; first: {result['example'] or output}"
        )
    return Burst(
        requests=int(result["requests"]),
        seconds=int(result["microseconds"]) / 1e6,
        checked=int(result["checked"]),
        p50_ms=float(result["p50"]) / _MILLISECOND,
        p95_ms=float(result["p95"]) / _MILLISECOND,
        p99_ms=float(result["p99"]) / _MILLISECOND,
        statuses={
            int(name.removeprefix(_STATUS)): int(count)
            for name, count in result.items()
            if name.startswith(_STATUS)
        },
    )


def _run(load: Load, connections: int, seconds: int) -> tuple[Mapping[str, str], str]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "result"
        command = ["wrk", "--threads=1", f"--connections={connections}", f"--duration={seconds}s"]
        done = subprocess.run(
            [*command, "--timeout=10s", f"--script={_SCRIPT}", load.url],
            env={**os.environ, **load.variables(), "BENCH_RESULT": str(file)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds + _PATIENCE_SECONDS,
            check=False,
        )
        if done.returncode != 0 or not file.exists():
            raise LocalSystemError(f"wrk failed: {done.stderr or done.stdout}")
        lines = (line.partition("=") for line in file.read_text().splitlines())
        return {name: value for name, _, value in lines}, done.stdout


def _ids(ids: range) -> str:
    return f"{ids.start}-{ids.stop - 1}"
