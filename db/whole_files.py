"""Files that are there when they are complete, or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def whole_file(file: Path) -> Iterator[IO[bytes]]:
    """Write a file that appears when the block has ended well, readable for its owner alone.

    Raises:
        FileExistsError: meanwhile another file has this name; it is left as it is.
    """
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    unfinished = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as raw:
            yield raw
            raw.flush()
            os.fsync(raw.fileno())
        _give_name(unfinished, file)
    finally:
        with suppress(FileNotFoundError):
            unfinished.unlink()


def _give_name(unfinished: Path, file: Path) -> None:
    """Name the file without replacing another one."""
    try:
        os.link(unfinished, file)
    except FileExistsError:
        raise
    except OSError:
        # A file system without hard links: the name is taken first, for an empty file.
        file.touch(0o600, exist_ok=False)
        unfinished.replace(file)
