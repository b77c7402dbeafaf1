"""What the function's start costs before an event comes: Python, and each package that it loads.

Measured in fresh containers of the image that goes to AWS, on a read-only file system.
"""

import json
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from deployment.emulated import LOCKED_DOWN
from local_system.failures import LocalSystemError

_MODULES = "awslambdaric.bootstrap, orchestrator_image.app"
_PROGRAM = f"""
import json, sys, time
interpreter, began = time.process_time(), time.perf_counter()
import {_MODULES}
seconds = time.perf_counter() - began
print(json.dumps([interpreter, seconds, time.process_time() - interpreter]), file=sys.stderr)
"""
_LINE = "import time:"


@dataclass(frozen=True, slots=True)
class Start:
    """One start, in milliseconds: the interpreter's CPU, then the imports by the clock and CPU."""

    interpreter_cpu_ms: float
    import_ms: float
    import_cpu_ms: float


@dataclass(frozen=True, slots=True)
class Package:
    """A top-level package: its modules, and the milliseconds that these themselves took.

    Of several starts ``ms`` is the median, ``least_ms`` the least disturbed.
    """

    name: str
    modules: int
    ms: float
    least_ms: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where the handler is imported: the image, what it is told, and more of docker's options."""

    image: str
    variables: Mapping[str, str] = field(repr=False)
    options: Sequence[str]

    def run(self, *arguments: str) -> str:
        """Run Python with these arguments in a container of its own; return its complaints.

        Raises:
            LocalSystemError: it failed.
        """
        command = ["docker", "run", "--rm", "--network=none", *LOCKED_DOWN, *self.options]
        command += [f"--env={name}={value}" for name, value in self.variables.items()]
        done = subprocess.run(
            [*command, "--entrypoint=python", self.image, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise LocalSystemError(f"the handler cannot be imported: {done.stderr.strip()}")
        return done.stderr


def measure_start(place: Place) -> Start:
    """Import the handler once."""
    complaint = place.run("-c", _PROGRAM)
    return Start(*(seconds * 1000 for seconds in json.loads(complaint.splitlines()[-1])))


def measure_packages(place: Place) -> dict[str, Package]:
    """Import the handler once under ``-X importtime``, which costs time itself."""
    return packages(place.run("-X", "importtime", "-c", f"import {_MODULES}"))


def packages(import_times: str) -> dict[str, Package]:
    """Return the packages of what ``-X importtime`` wrote, by name.

    A line of it is ``import time: SELF | CUMULATIVE | module``, in microseconds. What a module
    does besides importing others is its own: the handler's includes its schemas' compilation.
    """
    own: Counter[str] = Counter()
    modules: Counter[str] = Counter()
    for line in import_times.splitlines():
        if line.startswith(_LINE) and line[len(_LINE) :].strip()[0].isdigit():
            microseconds, _, module = line[len(_LINE) :].split("|")
            name = module.strip().partition(".")[0]
            own[name] += int(microseconds)
            modules[name] += 1
    return {name: Package(name, modules[name], own[name] / 1000, own[name] / 1000) for name in own}


def typical(starts: Sequence[Mapping[str, Package]]) -> list[Package]:
    """Return each package over several starts, the dearest first."""
    names = {name for start in starts for name in start}
    packages_of_one = ([start[name] for start in starts if name in start] for name in names)
    return sorted(map(_over_all, packages_of_one), key=lambda package: -package.ms)


def _over_all(of_one: Sequence[Package]) -> Package:
    times = [package.ms for package in of_one]
    return Package(of_one[0].name, of_one[0].modules, statistics.median(times), min(times))


def table(measured: Sequence[Package], rows: int) -> str:
    """Return the dearest packages as Markdown, and the sum of the others."""
    shown, rest = measured[:rows], measured[rows:]
    lines = ["| package | modules | ms, median | least |", "|---|---|---|---|"]
    lines += [_row(_title(package.name), [package]) for package in shown]
    lines.append(_row(f"{len(rest)} more", rest))
    lines.append(_row("**all**", measured))
    return "\n".join(lines)


def _row(title: str, of: Iterable[Package]) -> str:
    counted = list(of)
    modules = sum(package.modules for package in counted)
    ms, least = sum(p.ms for p in counted), sum(p.least_ms for p in counted)
    return f"| {title} | {modules} | {ms:.1f} | {least:.1f} |"


def _title(name: str) -> str:
    return f"`{name}` (Python's)" if name in sys.stdlib_module_names else f"`{name}`"
