"""The virtual environment is filled once, and again when the pins change."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from local_system import bootstrap
from local_system.bootstrap import VirtualEnvironment, prepare
from local_system.failures import LocalSystemError
from local_system.progress import Silence


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    (tmp_path / "requirements").mkdir()
    (tmp_path / ".venv").mkdir()
    for level in bootstrap.LEVELS:
        (tmp_path / "requirements" / f"{level}.txt").write_text("a==1\n")
    return tmp_path


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Run nothing, and return what would have been run."""
    seen: list[list[str]] = []

    def run(command: list[str], **_: object) -> "subprocess.CompletedProcess[str]":
        seen.append([str(part) for part in command])
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    return seen


def installs(commands: list[list[str]]) -> list[str]:
    return [Path(command[-1]).name for command in commands if "--require-hashes" in command]


def test_packages_are_installed_once(clone: Path, commands: list[list[str]]) -> None:
    prepare(clone, "local", Silence())
    prepare(clone, "local", Silence())

    assert installs(commands) == ["local.txt"]


def test_the_developers_packages_contain_those_that_run(
    clone: Path, commands: list[list[str]]
) -> None:
    prepare(clone, "dev", Silence())
    prepare(clone, "local", Silence())

    assert installs(commands) == ["dev.txt"]


def test_more_packages_are_added_when_they_are_asked_for(
    clone: Path, commands: list[list[str]]
) -> None:
    prepare(clone, "local", Silence())
    prepare(clone, "dev", Silence())

    assert installs(commands) == ["local.txt", "dev.txt"]


def test_changed_pins_are_installed(clone: Path, commands: list[list[str]]) -> None:
    prepare(clone, "local", Silence())
    (clone / "requirements" / "local.txt").write_text("a==2\n")

    prepare(clone, "local", Silence())

    assert installs(commands) == ["local.txt", "local.txt"]


def test_a_failed_installation_is_one_line_with_its_reason_and_log_and_is_tried_again(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(command: list[str], **options: Any) -> "subprocess.CompletedProcess[str]":
        if "install" in command:
            log = options["stdout"]
            log.write("Collecting a\nERROR: no such package\nmore\n")
            return subprocess.CompletedProcess(command, 1)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", fail)

    with pytest.raises(LocalSystemError, match=r"ERROR: no such package; see .*packages\.log"):
        prepare(clone, "local", Silence())
    assert not VirtualEnvironment(clone).holds("local")
