"""Measures what starting the function costs, and what an invocation costs beside its calls.

The image is the one that goes to AWS, in fresh containers on read-only file systems, under the
Runtime Interface Emulator; it takes real orders from services of its own, one at a time.
"""

import dataclasses
import json
import statistics
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmark import imports
from benchmark.imports import Package, Place, Start
from benchmark.invocations import First, Scene, Warm
from benchmark.stand import stand
from deployment import commands, prerequisites
from deployment.images import LOCAL_IMAGE
from local_system.arguments import parser, positive
from local_system.construction import ROOT
from local_system.failures import run_verb
from local_system.progress import Progress

_TAG = "cold-start"
_SIZE = 100
_ROWS = 14
_MB_OF_ONE_PROCESSOR = 1769
"""Source: AWS, "Configure Lambda function memory": 1,769 MB have the equivalent of one vCPU."""


def main() -> int:
    """Measure what the command line asks for."""
    arguments = _arguments()
    progress = Progress()
    prerequisites.check_docker(ROOT)
    with progress.step("building the image"):
        commands.printed(["scripts/build", "--tag", _TAG, "orchestrator-lambda"], ROOT)
    with stand(_SIZE, progress) as system:
        scene = Scene(system, f"{LOCAL_IMAGE}:{_TAG}", _limits(arguments.memory))
        place = Place(scene.image, scene.variables, scene.options)
        runs = range(arguments.runs)
        starts = [imports.measure_start(place) for _ in tqdm(runs, "  imports")]
        tables = [imports.measure_packages(place) for _ in tqdm(runs, "  packages")]
        firsts = [scene.first() for _ in tqdm(runs, "  first answers")]
        warm = [scene.warm(arguments.invocations) for _ in tqdm(runs, "  warm invocations")]
    packages = imports.typical(tables)
    print(_report(starts, packages, firsts, warm))
    if arguments.json:
        arguments.json.write_text(json.dumps(_document(starts, packages, firsts, warm), indent=1))
    return 0


def _limits(memory: int | None) -> list[str]:
    if memory is None:
        return []
    return [f"--memory={memory}m", f"--cpus={memory / _MB_OF_ONE_PROCESSOR:.3f}"]


def _report(
    starts: Sequence[Start],
    packages: Sequence[Package],
    firsts: Sequence[First],
    warm: Sequence[Warm],
) -> str:
    def line(title: str, values: Sequence[float]) -> str:
        return f"| {title} | {statistics.median(values):.1f} | {min(values):.1f} |"

    lines = [
        "| ms | median | least |",
        "|---|---|---|",
        line("the interpreter's start, CPU", [s.interpreter_cpu_ms for s in starts]),
        line("import of the handler", [s.import_ms for s in starts]),
        line("the same, CPU", [s.import_cpu_ms for s in starts]),
        line("first order, since the emulator's start", [f.since_start_ms for f in firsts]),
        line("the same, since the request", [f.since_request_ms for f in firsts]),
        line("warm order", [w.p50_ms for w in warm]),
        line("its three calls alone", [w.calls_p50_ms for w in warm]),
        line("CPU of the function", [w.function_cpu_ms for w in warm]),
        line("CPU of the emulator", [w.emulator_cpu_ms for w in warm]),
        line("CPU of the three calls alone", [w.calls_cpu_ms for w in warm]),
        line("CPU beyond the three calls", [w.overhead_cpu_ms for w in warm]),
        "",
        imports.table(packages, _ROWS),
    ]
    return "\n".join(lines)


def _document(
    starts: Sequence[Start],
    packages: Sequence[Package],
    firsts: Sequence[First],
    warm: Sequence[Warm],
) -> dict[str, Any]:
    return {
        "starts": [dataclasses.asdict(start) for start in starts],
        "packages": [dataclasses.asdict(package) for package in packages],
        "first_answers": [dataclasses.asdict(first) for first in firsts],
        "warm": [
            {**dataclasses.asdict(one), "overhead_cpu_ms": one.overhead_cpu_ms} for one in warm
        ],
    }


def _arguments() -> Namespace:
    described = parser(
        "cold-start",
        __doc__,
        """
        examples:
          scripts/cold-start                        tables in Markdown, in two minutes
          scripts/cold-start --memory 512           with a share of the processor such as AWS gives
          scripts/cold-start --runs 3 --json out.json
        """,
    )
    described.add_argument(
        "--runs", type=positive, default=9, help="fresh containers (%(default)s)"
    )
    described.add_argument(
        "--invocations", type=positive, default=200, help="of each warm function (%(default)s)"
    )
    described.add_argument(
        "--memory",
        type=positive,
        metavar="MB",
        help="limit it to this memory, and to the share of a processor that AWS gives with it",
    )
    described.add_argument("--json", type=Path, metavar="FILE", help="write everything there too")
    return described.parse_args()


if __name__ == "__main__":
    run_verb(main)
