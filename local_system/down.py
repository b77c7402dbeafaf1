"""Stops the whole system: no process of it and no listening port stays.

That includes what a crash or a kill -9 left behind.
"""

from local_system.arguments import parser
from local_system.construction import ROOT, RUN_DIR
from local_system.failures import run_verb
from local_system.locking import exclusive
from local_system.progress import Progress
from local_system.stopping import stop, wipe


def main() -> int:
    """Stop the clone's system; forget its data when asked to."""
    arguments = parser(
        "down",
        __doc__,
        """
        examples:
          scripts/down
          scripts/down --wipe     the next scripts/up begins with an empty database
        """,
    )
    arguments.add_argument(
        "--wipe",
        action="store_true",
        help="forget the embedded database's data too (a server of your own keeps its)",
    )
    forget = arguments.parse_args().wipe
    progress = Progress()
    with exclusive(RUN_DIR / "lock", progress):
        with progress.step("stopping"):
            was_running = stop(ROOT, RUN_DIR)
        if forget:
            wipe(RUN_DIR)
    progress.note("down" if was_running else "nothing was running")
    if forget:
        progress.note("the embedded database's data are forgotten")
    return 0


if __name__ == "__main__":
    run_verb(main)
