"""AWS's SAM CLI in an environment of its own: it pins many packages to other versions than ours."""

import hashlib
import os
import sys
from pathlib import Path

from deployment import commands
from local_system.locking import exclusive
from local_system.progress import Progress


def program(root: Path, progress: Progress) -> Path:
    """Return the program ``sam``, installed the first time and after its pins changed.

    Raises:
        LocalSystemError: it cannot be installed; what uv printed stands above.
    """
    pinned = root / "requirements" / "sam.txt"
    checksum = hashlib.sha256(pinned.read_bytes()).hexdigest()
    folder = (root / ".cache").resolve() / "sam"  # its scripts name their own place
    stamp = folder / "installed-requirements"
    with exclusive(root / ".cache" / "sam.lock", progress):
        if not stamp.exists() or stamp.read_text() != checksum:
            with progress.step("installing AWS's SAM CLI (requirements/sam.txt)"):
                _install(pinned, folder, root)
            stamp.write_text(checksum)
    return folder / "bin" / "sam"


def environment(root: Path, region: str) -> dict[str, str]:
    """Return the environment of ``sam``: it reports to nobody and looks for no AWS account."""
    return {
        **os.environ,
        "SAM_CLI_TELEMETRY": "0",
        "__SAM_CLI_APP_DIR": str(root / ".run" / "sam"),
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _install(pinned: Path, folder: Path, root: Path) -> None:
    uv = [sys.executable, "-m", "uv"]
    commands.run([*uv, "venv", "--quiet", "--clear", str(folder)], root)
    install = ["pip", "install", "--quiet", "--system-certs", "--require-hashes"]
    into = ["--python", str(folder / "bin" / "python"), "--requirement", str(pinned)]
    commands.run([*uv, *install, *into], root)
