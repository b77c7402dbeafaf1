"""Which paths are passed on."""

import re

_SEGMENT = re.compile(r"[A-Za-z0-9._~-]+", re.ASCII)


def is_passed_on(path: str) -> bool:
    """Tell whether a path means the same to whoever reads it.

    Only plain segments pass: nothing encoded, none empty, none of dots alone. What two readers
    could take for different paths (``..``, ``%2e``, ``//``, ``;``, a backslash) is a way to reach
    what is not to be reached, and no path of ours needs it.
    """
    first, *segments = path.split("/")
    if first or not segments:
        return False
    return all(_SEGMENT.fullmatch(part) and part.strip(".") for part in segments)
