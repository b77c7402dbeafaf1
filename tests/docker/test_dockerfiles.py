"""What the Dockerfiles say, where no engine is needed to know it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from requirements import slim
from service_kit import page
from tests.docker.engine import BASE_IMAGES
from tests.unit.test_layers import LIGHT_HALF

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILES = sorted(ROOT.glob("*/Dockerfile"))
SERVICES = {
    "customers_api": ("Customers API", "CUSTOMERS_PORT", "3001"),
    "orders_api": ("Orders API", "ORDERS_PORT", "3002"),
    "gateway": ("Gateway", "GATEWAY_PORT", "3000"),
}

# The gateway's document holds the orchestrator's shapes, which it reads as data.
GATEWAYS_OWN = "COPY orchestrator_image/schemas /app/orchestrator_image/schemas\n"


def text_of(room: str) -> str:
    return (ROOT / room / "Dockerfile").read_text()


def recipe_of(service: str) -> str:
    """Return a service's Dockerfile without what is its own; the comment names all three."""
    comment, start, recipe = text_of(service).partition("FROM")
    if service == "gateway":
        assert GATEWAYS_OWN in recipe
        recipe = recipe.replace(GATEWAYS_OWN, "")
    title, variable, port = SERVICES[service]
    for own, general in ((service, "NAME"), (title, "TITLE"), (variable, "PORT"), (port, "0")):
        assert own in recipe
        recipe = recipe.replace(own, general)
    return comment.replace(f"--file {service}/", "--file NAME/") + start + recipe


def test_every_image_has_its_dockerfile() -> None:
    rooms = {file.parent.name for file in DOCKERFILES}

    assert rooms == {*SERVICES, "orchestrator_image", "db"}


def test_the_services_share_one_recipe() -> None:
    assert len({" ".join(recipe_of(service).split()) for service in SERVICES}) == 1


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda file: file.parent.name)
def test_hadolint_finds_nothing(dockerfile: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("hadolint is installed on Linux alone")
    linter = Path(sys.executable).with_name("hadolint")

    done = subprocess.run(
        [linter, "--no-color", dockerfile], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda file: file.parent.name)
def test_one_base_for_all_pulled_by_its_plain_name(dockerfile: Path) -> None:
    text = dockerfile.read_text()
    stages = set(re.findall(r"^FROM \S+ AS (\w+)$", text, re.MULTILINE))

    bases = set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) - stages

    assert bases == {BASE_IMAGES[0]}
    assert not text.startswith("# syntax")


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda file: file.parent.name)
def test_packages_are_installed_by_hash_and_as_wheels(dockerfile: Path) -> None:
    installs = re.findall(
        r"pip (?:--python \S+ )?(?:install|download)(?:[^\\&]|\\\n)*", dockerfile.read_text()
    )

    assert installs
    for command in installs:
        assert "--require-hashes --only-binary :all:" in " ".join(command.split())


def test_the_function_gets_the_light_half_of_the_kit_and_no_more() -> None:
    (instruction,) = re.findall(
        r"^COPY (service_kit/(?:[^\\\n]|\\\n)*) /var", text_of("orchestrator_image"), re.MULTILINE
    )

    copied = {name.removeprefix("service_kit/") for name in instruction.replace("\\", " ").split()}

    assert copied == {"__init__.py", *(f"{module}.py" for module in LIGHT_HALF)}


def test_what_is_served_of_swagger_ui_is_kept() -> None:
    assert slim.SERVED_ASSETS == page.PACKAGED_ASSETS
