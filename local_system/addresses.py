"""Where the running system listens, however it was started."""

import os

from local_system.construction import clone_system
from local_system.ports import USUAL, port_number
from local_system.progress import Silence


def port(variable: str) -> int:
    """Return the running system's port, else the one that is usual.

    The environment wins: it names the port of a system that was started elsewhere.
    """
    given = os.environ.get(variable)
    if given:
        return port_number(variable, given)
    system = clone_system(os.environ, Silence())
    # What is remembered of a system that is down says nothing of one that Compose runs.
    return dict(system.ports.by_variable())[variable] if system.is_running() else USUAL[variable]
