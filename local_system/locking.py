"""One at a time: two terminals may call the same verb at once."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local_system.progress import Progress


@contextmanager
def exclusive(lock_file: Path, progress: Progress) -> Iterator[None]:
    """Hold the lock file; wait, and say so, while another process holds it.

    The kernel frees the lock when its holder ends, however it ends. The file itself stays:
    removing it would let two holders in.
    """
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.note(f"another process is at work here ({lock_file}): waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
