"""What the tests of the deployment share: a clone, and the templates that osls makes of it."""

from pathlib import Path

import pytest

from deployment.osls import Osls
from deployment.target import STAGES
from local_system.progress import Silence
from tests.deploy.clones import clone_with_tools
from tests.deploy.targets import IMAGE_URI, SECRETS, target


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with its tools: osls writes into the folder that it works in."""
    return clone_with_tools(tmp_path_factory.mktemp("deployment") / "back-office")


@pytest.fixture(scope="session")
def packages(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folders of what osls packaged, by stage: without AWS, and with secrets lying about."""
    folders = {}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**SECRETS, "AWS_EC2_METADATA_DISABLED": "true"}.items():
            patch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
            patch.delenv(name, raising=False)
        for stage in STAGES:
            folders[stage] = tmp_path_factory.mktemp(f"packaged-{stage}")
            Osls(clone, Silence()).packaged(target(stage), IMAGE_URI, folders[stage])
    return folders
