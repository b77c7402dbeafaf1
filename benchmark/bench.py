"""Measures the Orders API against the floor of the machine that it runs on."""

import json
from argparse import Namespace
from pathlib import Path

from tqdm import tqdm

from benchmark import report, wrk
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


def main() -> int:
    """Run what the command line asks for."""
    arguments = _arguments()
    progress = Progress()
    chosen = [call for call in CALLS if call.name in (arguments.call or _NAMES)]
    wrk.find_or_install(RUN_DIR / "logs" / "wrk.install.log", progress)
    try:
        with stand(arguments.size, progress) as system:
            if arguments.profile:
                call = next(call for call in CALLS if call.name == arguments.profile)
                file = Path(f"{call.name}.svg")
                lines = profile(system, call, arguments.seconds, file)
                print("\n".join([*lines, f"flame graph: {file}"]))
                return 0
            rounds = tqdm(range(arguments.rounds), desc="  rounds", unit="round")
            floors, measured = measure_ratios(system, chosen, rounds, arguments.seconds)
            with progress.step("running the same SQL without HTTP"):
                sql = measure_sql(system, chosen, arguments.seconds)
    except WrongAnswersError as error:
        raise LocalSystemError(f"nothing is said of a system that errs: {error}") from error
    result = report.document(floors, measured, sql)
    print(report.table(floors, measured, sql))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0


def _arguments() -> Namespace:
    described = parser(
        "bench",
        """
        Starts a system of its own with made-up data, loads it by wrk (installed by apt when it is
        missing), and prints what each call costs beside the floors: a hello world by Tornado and
        uvloop, and the same SQL by aiomysql alone, all measured in the same minutes.
        """,
        """
        examples:
          scripts/bench --quick --json out.json     floors and ratios in less than two minutes
          scripts/bench                             the same, longer
          scripts/bench --call get_order --call list_orders
          scripts/bench --profile create_order      a flame graph: create_order.svg
        """,
    )
    described.add_argument("--quick", action="store_true", help="two rounds of two seconds")
    described.add_argument("--json", type=Path, metavar="FILE", help="write everything there too")
    described.add_argument("--profile", choices=_NAMES, metavar="CALL", help=", ".join(_NAMES))
    described.add_argument("--call", action="append", choices=_NAMES, help="this call alone")
    described.add_argument("--size", type=int, default=_SIZE, help="customers (%(default)s)")
    described.add_argument("--seconds", type=int, help="of a burst (5; 2 if quick)")
    described.add_argument("--rounds", type=int, help="(5; 2 if quick)")
    arguments = described.parse_args()
    arguments.seconds = arguments.seconds or (2 if arguments.quick else 5)
    arguments.rounds = arguments.rounds or (2 if arguments.quick else 5)
    return arguments


if __name__ == "__main__":
    run_verb(main)
