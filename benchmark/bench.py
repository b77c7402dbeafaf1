"""Measures the system: each call against the floor of the machine, and its shape under load."""

import json
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmark import (
    concurrency,
    contention,
    endurance,
    flatness,
    indexes,
    load_shape,
    report,
    throughput,
    wrk,
)
from benchmark.calls import CALLS
from benchmark.profiling import profile
from benchmark.ratios import measure_ratios
from benchmark.sql_floor import measure_sql
from benchmark.stand import stand
from benchmark.wrk import WrongAnswersError
from local_system.arguments import parser
from local_system.construction import RUN_DIR
from local_system.failures import LocalSystemError, run_verb
from local_system.progress import Progress

_SIZE = 10_000
_NAMES = [call.name for call in CALLS]
_PROBES = [probe.name for probe in flatness.PROBES]

Outcome = tuple[str, dict[str, Any]]
"""What was measured, for people and as a JSON value."""


def main() -> int:
    """Run what the command line asks for."""
    arguments = _arguments()
    progress = Progress()
    wrk.find_or_install(RUN_DIR / "logs" / "wrk.install.log", progress)
    try:
        if arguments.profile:
            print(_profile(arguments, progress))
            return 0
        said, document = _STUDIES[arguments.study](arguments, progress)
    except WrongAnswersError as error:
        raise LocalSystemError(f"nothing is said of a system that errs: {error}") from error
    print(said)
    if arguments.json:
        arguments.json.write_text(json.dumps(document, indent=1) + "\n")
    return 0


def _profile(arguments: Namespace, progress: Progress) -> str:
    call = next(call for call in CALLS if call.name == arguments.profile)
    file = Path(f"{call.name}.svg")
    with stand(arguments.size, progress) as system:
        lines = profile(system, call, arguments.seconds, file)
    return "\n".join([*lines, f"flame graph: {file}"])


def _ratios(arguments: Namespace, progress: Progress) -> Outcome:
    chosen = [call for call in CALLS if call.name in (arguments.call or _NAMES)]
    with stand(arguments.size, progress) as system:
        rounds = _rounds(arguments)()
        floors, measured = measure_ratios(system, chosen, rounds, arguments.seconds)
        with progress.step("running the same SQL without HTTP"):
            sql = measure_sql(system, chosen, arguments.seconds)
    return report.table(floors, measured, sql), report.document(floors, measured, sql)


def _flatness(arguments: Namespace, progress: Progress) -> Outcome:
    size = arguments.size
    chosen = [probe for probe in flatness.PROBES if probe.name in (arguments.call or _PROBES)]
    rounds = _rounds(arguments)
    measured = flatness.measure_flatness(chosen, size, rounds, arguments.seconds, progress)
    return flatness.table(*measured, size), flatness.document(*measured, size)


def _contention(arguments: Namespace, progress: Progress) -> Outcome:
    with stand(contention.SIZE, progress, workers=contention.WORKERS) as system:
        rounds = _rounds(arguments)()
        measured = contention.measure_contention(system, rounds, arguments.seconds)
    return contention.table(measured), contention.document(measured)


def _throughput(arguments: Namespace, progress: Progress) -> Outcome:
    with stand(throughput.SIZE, progress, workers=throughput.WORKERS) as system:
        reached = throughput.measure_throughput(system, _rounds(arguments)(), arguments.seconds)
    return throughput.table(reached), throughput.document(reached)


def _load_shape(arguments: Namespace, progress: Progress) -> Outcome:
    with stand(load_shape.SIZE, progress, workers=load_shape.WORKERS) as system:
        with progress.step("sending over many connections"):
            fairness = load_shape.measure_fairness(system, arguments.seconds)
        with progress.step("asking for more than can be done"):
            overload = load_shape.measure_overload(system, arguments.seconds)
    return load_shape.table(fairness, overload), load_shape.document(fairness, overload)


def _concurrency(arguments: Namespace, progress: Progress) -> Outcome:
    with (
        stand(concurrency.SIZE, progress) as one,
        stand(concurrency.SIZE, progress, workers=concurrency.WORKERS) as several,
    ):
        with progress.step("sending by ever more clients"):
            curves = concurrency.measure_curves(several, arguments.seconds)
        rounds = _rounds(arguments)()
        gains = concurrency.measure_gains(one, several, rounds, arguments.seconds)
    return concurrency.table(curves, gains), concurrency.document(curves, gains)


def _endurance(arguments: Namespace, progress: Progress) -> Outcome:
    seconds = endurance.QUICK_SECONDS if arguments.quick else endurance.SECONDS
    with stand(endurance.SIZE, progress, workers=endurance.WORKERS) as system:
        memory = endurance.measure_memory(system, seconds)
    return endurance.table(memory), endurance.document(memory)


def _indexes(arguments: Namespace, progress: Progress) -> Outcome:
    with stand(indexes.SIZE, progress) as system:
        prices = indexes.measure_prices(system, _rounds(arguments)(), arguments.seconds)
    return indexes.table(prices), indexes.document(prices)


_STUDIES: dict[str, Callable[[Namespace, Progress], Outcome]] = {
    "ratios": _ratios,
    "flatness": _flatness,
    "contention": _contention,
    "throughput": _throughput,
    "load-shape": _load_shape,
    "concurrency": _concurrency,
    "endurance": _endurance,
    "indexes": _indexes,
}


def _rounds(arguments: Namespace) -> Callable[[], "tqdm[int]"]:
    return lambda: tqdm(range(arguments.rounds), desc="  rounds", unit="round")


def _arguments() -> Namespace:
    described = parser(
        "bench",
        """
        Starts a system of its own with made-up data, loads it by wrk (installed by apt when it is
        missing), and prints what was measured. ratios: what each call costs beside the floors, a
        hello world by Tornado and uvloop, and the same SQL by aiomysql alone, all in the same
        minutes. flatness: each call among many rows beside few. contention: many clients on the
        same product, and on the same orders. throughput: what all of the system does in a second.
        load-shape: a thousand connections, and five times as many requests as can be done.
        concurrency: throughput and latency against the number of clients, one worker beside two.
        endurance: the memory of each process over ten minutes. indexes: what each costs an order.
        """,
        """
        examples:
          scripts/bench --quick --json out.json     floors and ratios in less than two minutes
          scripts/bench                             the same, longer
          scripts/bench --call get_order --call list_orders
          scripts/bench --profile create_order      a flame graph: create_order.svg
          scripts/bench flatness --size 1000000     a million customers beside a thousand
        """,
    )
    described.add_argument(
        "study", nargs="?", choices=_STUDIES, default="ratios", help="(%(default)s)"
    )
    described.add_argument("--quick", action="store_true", help="two rounds of two seconds")
    described.add_argument("--json", type=Path, metavar="FILE", help="write everything there too")
    described.add_argument("--profile", choices=_NAMES, metavar="CALL", help=", ".join(_NAMES))
    described.add_argument(
        "--call",
        action="append",
        choices=_PROBES,
        metavar="CALL",
        help="this call alone, of those above; of flatness also "
        + ", ".join(name for name in _PROBES if name not in _NAMES),
    )
    described.add_argument("--size", type=int, default=_SIZE, help="customers (%(default)s)")
    described.add_argument("--seconds", type=int, help="of a burst (5; 2 if quick)")
    described.add_argument("--rounds", type=int, help="(5; 2 if quick)")
    arguments = described.parse_args()
    arguments.seconds = arguments.seconds or (2 if arguments.quick else 5)
    arguments.rounds = arguments.rounds or (2 if arguments.quick else 5)
    return arguments


if __name__ == "__main__":
    run_verb(main)
