"""Images are built for the architecture on which they run; where they cannot be, it is said."""

from collections.abc import Callable
from pathlib import Path

import pytest

from deployment.prerequisites import check_docker
from deployment.sam_local import engine_architecture
from local_system.failures import LocalSystemError

pytestmark = pytest.mark.deploy

Engine = Callable[[str, str], None]

_DOCKER = """\
#!/bin/sh
case "$*" in
*inspect*) echo "{buildx_says}" ;;
*) echo {platform} ;;
esac
"""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Put a docker on the path that says of itself what it is told to."""

    def saying(platform: str, buildx_says: str) -> None:
        docker = tmp_path / "docker"
        docker.write_text(_DOCKER.format(platform=platform, buildx_says=buildx_says))
        docker.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    return saying


@pytest.mark.parametrize(
    "buildx_says",
    [
        "Platforms:        linux/amd64, linux/amd64/v2, linux/arm64, linux/386",
        "Platforms:        linux/amd64*, linux/arm64*",
        # A builder that has not been started yet.
        "Status:           inactive",
    ],
)
def test_where_both_can_be_built_nothing_is_said(
    engine: Engine, tmp_path: Path, buildx_says: str
) -> None:
    engine("linux/amd64", buildx_says)

    check_docker(tmp_path, "linux/amd64")
    check_docker(tmp_path, "linux/arm64")


def test_an_architecture_that_docker_cannot_build_for_is_named_with_the_remedy(
    engine: Engine, tmp_path: Path
) -> None:
    engine("linux/amd64", "Platforms:        linux/amd64, linux/amd64/v2, linux/386")

    with pytest.raises(LocalSystemError, match=r"cannot build for linux/arm64 here.*binfmt"):
        check_docker(tmp_path, "linux/arm64")
    check_docker(tmp_path, "linux/amd64")


@pytest.mark.parametrize(
    ("platform", "architecture"), [("linux/amd64", "x86_64"), ("linux/arm64", "arm64")]
)
def test_sam_runs_the_function_on_the_architecture_of_the_engine(
    engine: Engine, tmp_path: Path, platform: str, architecture: str
) -> None:
    engine(platform, "")

    assert engine_architecture(tmp_path) == architecture


def test_sam_runs_on_no_other(engine: Engine, tmp_path: Path) -> None:
    engine("linux/riscv64", "")

    with pytest.raises(LocalSystemError, match="docker on linux/riscv64"):
        engine_architecture(tmp_path)
