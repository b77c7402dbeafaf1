"""A copy of the repository in which the tools work as in this one."""

from pathlib import Path

from local_system import node_packages
from local_system.progress import Silence
from tests.docker.composition import ROOT, clean_copy


def clone_with_tools(folder: Path) -> Path:
    """Copy the repository as a clone has it, with this one's tools from npm and PyPI."""
    node_packages.tool(ROOT, "osls", Silence())
    clean_copy(folder)
    for name in ("node_modules", ".venv"):
        (folder / name).symlink_to(ROOT / name)
    return folder
