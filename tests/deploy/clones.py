"""A copy of the repository, with a history of its own, in which the tools work as in this one."""

import secrets
import subprocess
from pathlib import Path

from local_system import node_packages
from local_system.progress import Silence
from tests.docker.composition import ROOT, clean_copy

_LINKED = ("node_modules", ".venv", ".cache")
"""What was installed here, and would take its time to install again."""


def clone_with_tools(folder: Path) -> Path:
    """Copy the repository as a clone has it, with this one's tools from npm and PyPI."""
    node_packages.tool(ROOT, "osls", Silence())
    clean_copy(folder)
    (ROOT / ".cache").mkdir(exist_ok=True)
    for name in _LINKED:
        (folder / name).symlink_to(ROOT / name)
    _commit(folder)
    return folder


def _commit(folder: Path) -> None:
    """Make everything one commit, like no other: images are named after it."""

    def git(*arguments: str) -> None:
        nobody = ["-c", "user.name=nobody", "-c", f"user.email={secrets.token_hex(4)}@example.com"]
        command = ["git", "-c", "core.hooksPath=/dev/null", *nobody, *arguments]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)

    git("init", "--quiet")
    # Links, which .gitignore's patterns of folders do not mean.
    (folder / ".git" / "info" / "exclude").write_text("\n".join(_LINKED))
    git("add", "--all")
    git("commit", "--quiet", "--message", "everything")
