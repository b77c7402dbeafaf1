"""Runs one service in the foreground and restarts it when its code changes.

The others stay as they are; the service goes back to the background when you leave (Ctrl-C).
"""

import os
import sys
from pathlib import Path

import watchfiles

from local_system.arguments import parser
from local_system.construction import clone_system
from local_system.failures import LocalSystemError, run_verb
from local_system.processes import MARK
from local_system.programs import CURL_EMULATOR, CUSTOMERS, GATEWAY, ORDERS
from local_system.progress import Progress
from local_system.supervisor_configuration import launch_command
from local_system.system import LocalSystem

_PACKAGES = {
    CUSTOMERS: "customers_api",
    ORDERS: "orders_api",
    GATEWAY: "gateway",
    CURL_EMULATOR: "orchestrator_image",
}
_SERVICES = {
    "customers": CUSTOMERS,
    "orders": ORDERS,
    "gateway": GATEWAY,
    "orchestrator": CURL_EMULATOR,
}
_SHARED_PACKAGE = "service_kit"
_STOP_SECONDS = 15


def watched(root: Path, program: str) -> list[Path]:
    """Return the folders whose changes restart the program."""
    return [root / _PACKAGES[program], root / _SHARED_PACKAGE]


def run_in_foreground(system: LocalSystem, program: str, progress: Progress) -> None:
    """Take the program over from the supervisor until Ctrl-C, then give it back."""
    system.supervisor.stop_program(program)
    progress.note(f"{program} runs here, restarting on change; Ctrl-C gives it back")
    try:
        watchfiles.run_process(
            *watched(system.root, program),
            target=launch_command(system.supervisor.program_file(program)),
            target_type="command",
            watch_filter=watchfiles.PythonFilter(extra_extensions=(".json",)),
            sigint_timeout=_STOP_SECONDS,
        )
    finally:
        if system.is_running():  # scripts/down may have been the reason
            system.supervisor.start_program(program)
            progress.note(f"{program} is in the background again")


def _mark_this_process(system: LocalSystem) -> None:
    """Begin again with the system's mark, so that scripts/down finds this process too."""
    mark = str(system.run_dir)
    if os.environ.get(MARK) != mark:
        arguments = [sys.executable, "-P", "-m", "local_system.dev", *sys.argv[1:]]
        os.execve(sys.executable, arguments, {**os.environ, MARK: mark})  # noqa: S606 - itself


def main() -> int:
    """Run the service that the command line names."""
    arguments = parser(
        "dev",
        __doc__,
        """
        examples:
          scripts/dev orders           edit orders_api/ or service_kit/, and it restarts
          scripts/dev orchestrator     the function under the emulator at RIE_PORT
        """,
    )
    arguments.add_argument("service", choices=sorted(_SERVICES), metavar="SERVICE")
    program = _SERVICES[arguments.parse_args().service]
    progress = Progress()
    system = clone_system(os.environ, progress)
    if not system.is_running():
        raise LocalSystemError("the other services are needed too: scripts/up first")
    _mark_this_process(system)
    run_in_foreground(system, program, progress)
    return 0


if __name__ == "__main__":
    run_verb(main)
