"""Programs from Debian's packages: installed when they are missing and may be."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from local_system.failures import LocalSystemError
from local_system.progress import Progress

T = TypeVar("T")


def found_or_installed(
    find: Callable[[], T | None],
    packages: tuple[str, ...],
    what: str,
    remedy: str,
    log: Path,
    progress: Progress,
) -> T:
    """Return what ``find`` finds on this machine, if need be after the packages were installed.

    Raises:
        LocalSystemError: it is not there and cannot be installed; names what to do.
    """
    found = find()
    if found is None:
        install(packages, what, remedy, log, progress)
        found = find()
    if found is None:
        raise LocalSystemError(f"no {what} was found after its installation: {remedy}")
    return found


def install(
    packages: tuple[str, ...], what: str, remedy: str, log: Path, progress: Progress
) -> None:
    """Install the packages by apt.

    ``what`` names the thing in a sentence ("database server"); ``remedy`` says what a person can
    do where it cannot be installed; apt's output goes to ``log``.

    Raises:
        LocalSystemError: there is no apt, no right to use it, or it failed.
    """
    apt = shutil.which("apt-get")
    if apt is None:
        raise LocalSystemError(f"there is no {what} on this machine: {remedy}")
    prefix = _administrator_prefix(what, remedy)
    with progress.step(f"installing a {what} by apt ({', '.join(packages)})"):
        if not _installed([*prefix, apt], packages, log):
            raise LocalSystemError(f"apt could not install a {what} (see {log}): {remedy}")


def _installed(apt: list[str], packages: tuple[str, ...], log: Path) -> bool:
    wait = ["-o", "DPkg::Lock::Timeout=120"]
    command = [*apt, *wait, "install", "-y", "--no-install-recommends", *packages]
    # The first attempt serves a machine whose package lists are there and current.
    attempts = (command, [*apt, *wait, "update"], command)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        for attempt in attempts:
            done = subprocess.run(
                attempt,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
                check=False,
            )
            if done.returncode == 0 and attempt is command:
                return True
    return False


def _administrator_prefix(what: str, remedy: str) -> list[str]:
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if (
        sudo
        and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0
    ):
        return [sudo, "-n", "--preserve-env=DEBIAN_FRONTEND"]
    raise LocalSystemError(
        f"there is no {what} on this machine, and only root may install it: {remedy}"
    )
