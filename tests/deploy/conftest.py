"""What the tests of the deployment share: a clone, and the templates that osls makes of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deployment.images import tag_of
from deployment.osls import Osls
from deployment.target import STAGES
from local_system.progress import Silence
from local_system.system import LocalSystem
from tests import database_servers
from tests.deploy import servers
from tests.deploy.clones import clone_with_tools
from tests.deploy.deployments import Deployer
from tests.deploy.pushed_images import remove_images
from tests.deploy.servers import Cloud
from tests.deploy.targets import IMAGE_URI, SECRETS, target
from tests.running_systems import running_system


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


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A registry and a stand-in for AWS."""
    missing = servers.missing(tmp_path_factory.mktemp("apt") / "apt.log")
    if missing:
        pytest.skip(missing)
    with servers.cloud(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    """Our APIs, as the function in AWS would reach them."""
    database = database_servers.available()[0]
    with running_system(database, tmp_path_factory.mktemp("apis")) as started:
        yield started


@pytest.fixture(scope="session")
def told(system: LocalSystem) -> dict[str, str]:
    """What the function must be told to work with our APIs, secrets included."""
    return system.environment("orchestrator_image")


@pytest.fixture(scope="session")
def deployer(clone: Path, cloud: Cloud, told: dict[str, str]) -> Iterator[Deployer]:
    """Our tools in front of an AWS that has the parameters and secrets of both stages."""
    deployer = Deployer(clone, cloud)
    for stage in STAGES:
        deployer.describe(stage, told)
    yield deployer
    remove_images(cloud.registry, tag_of(clone, "x86_64"))


@pytest.fixture(scope="session")
def printed(deployer: Deployer) -> str:
    """Deploy the clone's commit to dev; return what scripts/deploy printed."""
    return deployer.deployed("--stage", "dev")


@pytest.fixture(scope="session")
def image_uri(deployer: Deployer, printed: str) -> str:
    """The image that was deployed to dev, by its digest."""
    return deployer.image_uri("dev")
