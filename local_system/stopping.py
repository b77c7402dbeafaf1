"""How a system is stopped, knowing nothing of it but its run folder."""

import shutil
from pathlib import Path

from local_system import processes
from local_system.sockets import remove_folder
from local_system.supervision import Supervisor

_PATIENCE_SECONDS = 15.0


def stop(root: Path, run_dir: Path) -> bool:
    """Stop every process of the system, also those left by a crash; say whether any ran."""
    was_running = bool(processes.marked(run_dir))
    Supervisor(root, run_dir).shut_down()
    # Whatever is left has lost its supervisor, or ran beside it.
    processes.stop(lambda: processes.marked(run_dir), _PATIENCE_SECONDS)
    remove_folder(run_dir / "socket-folder")
    return was_running


def wipe(run_dir: Path) -> None:
    """Forget the embedded database's data; the system must have been stopped."""
    shutil.rmtree(run_dir / "database", ignore_errors=True)
