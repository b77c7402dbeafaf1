"""The virtual environment: made, filled from the pinned requirements, and kept up to date.

Runs before any package is installed, so it uses the standard library alone.
"""

import argparse
import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from local_system.failures import LocalSystemError, run_verb
from local_system.locking import exclusive
from local_system.progress import Progress

LEVELS = ("local", "dev")
"""``dev`` contains all of ``local`` and the tools that check the code."""


class VirtualEnvironment:
    """The project's ``.venv``, stamped with what was installed into it."""

    def __init__(self, root: Path) -> None:
        self.requirements = root / "requirements"
        self.folder = root / ".venv"
        self.python = self.folder / "bin" / "python"
        self.lock_file = root / ".run" / "venv.lock"
        self.log = root / ".run" / "logs" / "packages.log"
        self._stamp = self.folder / "installed-requirements"

    def holds(self, level: str) -> bool:
        """Say whether the packages of the level are installed as they are pinned now."""
        try:
            checksum, installed = self._stamp.read_text().split()
        except (OSError, ValueError):
            return False
        return checksum == self._checksum() and LEVELS.index(installed) >= LEVELS.index(level)

    def create(self) -> None:
        """Make an empty environment, in place of a broken one.

        Raises:
            LocalSystemError: this Python has no venv or no pip to put into it.
        """
        base = getattr(sys, "_base_executable", sys.executable)
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        if importlib.util.find_spec("ensurepip") is None:
            raise LocalSystemError(
                f"{base} cannot make virtual environments: apt-get install python{version}-venv"
            )
        self._run([base, "-m", "venv", "--clear", str(self.folder)], "cannot make .venv")

    def usable(self) -> bool:
        """Say whether the environment has a Python that is new enough, with pip."""
        check = "import pip, sys; sys.exit(sys.version_info < (3, 11))"
        try:
            done = subprocess.run([self.python, "-c", check], capture_output=True, check=False)
        except OSError:
            return False
        return done.returncode == 0

    def install(self, level: str) -> None:
        """Install the pinned packages of the level, each checked against its hash.

        Raises:
            LocalSystemError: pip could not fetch or install one; its output is in the log.
        """
        self._stamp.unlink(missing_ok=True)
        pinned = str(self.requirements / f"{level}.txt")
        command = [str(self.python), "-m", "pip", "install", "--disable-pip-version-check"]
        command += ["--no-input", "--require-hashes", "--requirement", pinned]
        self._run(
            command,
            "cannot install the packages (needs a package index: check the network, a proxy, or "
            "PIP_CERT for an own certificate)",
        )
        self._stamp.write_text(f"{self._checksum()} {level}\n")

    def _checksum(self) -> str:
        digest = hashlib.sha256()
        for file in sorted(self.requirements.glob("*.txt")):
            digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
        return digest.hexdigest()

    def _run(self, command: list[str], failure: str) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("w") as log:
            done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            raise LocalSystemError(f"{failure}: {_reason(self.log)}; see {self.log}")


def prepare(root: Path, level: str, progress: Progress) -> None:
    """Make sure that the environment holds the packages of the level; at once if it does."""
    environment = VirtualEnvironment(root)
    if environment.holds(level):
        return
    with exclusive(environment.lock_file, progress):
        if environment.holds(level):
            return
        if not environment.usable():
            with progress.step("making the virtual environment .venv"):
                environment.create()
        with progress.step(f"installing the pinned packages (requirements/{level}.txt)"):
            environment.install(level)


def _reason(log: Path) -> str:
    """Return the first line that pip calls an error, else the last line."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (errors or lines[-1:] or ["no output"])[0][:300]


def main() -> int:
    """Prepare the environment that the calling script asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("level", choices=LEVELS)
    level = parser.parse_args().level
    # A user's PYTHONPATH or pip settings for another target must not leak into ours.
    for variable in ("PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_USER"):
        os.environ.pop(variable, None)
    prepare(Path(__file__).resolve().parent.parent, level, Progress())
    return 0


if __name__ == "__main__":
    run_verb(main)
