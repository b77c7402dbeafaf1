"""A short private folder for Unix sockets.

The kernel takes 107 bytes for a socket's path, and a clone may lie deeper than that.
"""

import os
import shutil
import stat
import tempfile
from pathlib import Path

_LONGEST_FOLDER = 60


def socket_folder(memory: Path) -> Path:
    """Return the folder that the file remembers, or make one (mode 0700) and remember it."""
    known = remembered_folder(memory)
    if known is not None:
        return known
    parent = tempfile.gettempdir()
    if len(os.fsencode(parent)) > _LONGEST_FOLDER:
        parent = "/tmp"  # noqa: S108 - the folder made in it is private and its name not guessable
    folder = Path(tempfile.mkdtemp(prefix="back-office-", dir=parent))
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(f"{folder}\n")
    return folder


def remembered_folder(memory: Path) -> Path | None:
    """Return the remembered folder if it is there and nobody else's."""
    try:
        folder = Path(memory.read_text().strip())
        status = folder.lstat()
    except OSError:
        return None
    private = stat.S_ISDIR(status.st_mode) and stat.S_IMODE(status.st_mode) == stat.S_IRWXU
    return folder if private and status.st_uid == os.getuid() else None


def remove_folder(memory: Path) -> None:
    """Remove the remembered folder with what is in it, and forget it."""
    folder = remembered_folder(memory)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
    memory.unlink(missing_ok=True)
