"""What is missing to build an image is said in one line, with what docker itself said."""

from pathlib import Path

import pytest

from deployment.prerequisites import check_docker
from local_system.failures import LocalSystemError

pytestmark = pytest.mark.deploy


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Leave nothing on the path but a docker that is to be written."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path / "docker"


def write(docker: Path, script: str) -> None:
    docker.write_text(f"#!/bin/sh\n{script}\n")
    docker.chmod(0o755)


def test_without_docker_it_is_named(docker: Path) -> None:
    with pytest.raises(LocalSystemError, match=r"install Docker$"):
        check_docker(docker.parent)


def test_an_engine_that_refuses_is_told_from_one_that_is_not_there(docker: Path) -> None:
    write(docker, "echo permission denied at the socket >&2\nexit 1")

    with pytest.raises(LocalSystemError, match=r"not answer you: .*: permission denied at the"):
        check_docker(docker.parent)


def test_without_buildx_it_is_named(docker: Path) -> None:
    write(docker, '[ "$1" = version ] && echo 28.0')

    with pytest.raises(LocalSystemError, match="buildx is needed"):
        check_docker(docker.parent)
