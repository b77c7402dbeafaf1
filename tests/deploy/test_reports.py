"""What scripts/deploy and scripts/sam-local tell a person: what they take, how to go back."""

import io
import shlex
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from deployment.account import Running
from deployment.deploy import report
from deployment.prerequisites import check_stage
from deployment.sam_local import told
from deployment.target import Target
from local_system.failures import LocalSystemError
from local_system.progress import Progress, Silence
from tests.deploy.targets import IMAGE_URI, SECRETS, SETTINGS, target

OUTPUTS = {"CreateAndConfirmOrderUrl": "https://api.example/order", "AlarmTopicArn": "arn:topic"}
BEFORE = IMAGE_URI.replace("5a" * 32, "b0" * 32)
BEFORE_DIGEST = BEFORE.partition("@")[2]
FROM_STORE = replace(target("prod"), settings={})


@dataclass(frozen=True)
class StoredSettings:
    """An account whose parameter store has every setting; those that are given win."""

    given: Target

    def settings(self) -> dict[str, str]:
        return {**SETTINGS, **self.given.settings}

    def secret_version(self) -> str:
        return "version"


def way_back(before: Running | None, of: Target = FROM_STORE) -> list[str]:
    """Return the words of the command that the report ends with; none if it names none."""
    said = report(of, IMAGE_URI, before, OUTPUTS)
    _, found, command = said.partition("back to what ran before:\n")
    return shlex.split(command) if found else []


def test_the_way_back_names_stage_region_and_digest() -> None:
    words = "scripts/deploy --stage prod --region eu-west-1 --image-digest"

    assert way_back(Running(BEFORE, "x86_64")) == [*words.split(), BEFORE_DIGEST]


def test_the_way_back_is_of_the_architecture_that_ran_before() -> None:
    words = way_back(Running(BEFORE, "arm64"))

    assert words[words.index("--architecture") + 1] == "arm64"


def test_the_way_back_carries_the_settings_that_were_given() -> None:
    words = way_back(Running(BEFORE, "x86_64"), target("prod"))

    assert words[: len(SETTINGS)] == [f"{name}={value}" for name, value in SETTINGS.items()]
    assert words[len(SETTINGS)] == "scripts/deploy"


@pytest.mark.parametrize(
    "before",
    [
        None,
        Running(IMAGE_URI, "x86_64"),
        Running("123456789012.dkr.ecr.eu-west-1.amazonaws.com/of-osls@" + BEFORE_DIGEST, "x86_64"),
        Running(IMAGE_URI.partition("@")[0] + ":1.0", "x86_64"),
    ],
    ids=["nothing", "the same image", "an image of another repository", "an image by its tag"],
)
def test_where_nothing_can_be_gone_back_to_no_way_is_named(before: Running | None) -> None:
    assert way_back(before) == []


def test_settings_of_the_environment_are_told_and_those_of_the_store_are_not() -> None:
    told_of = io.StringIO()
    given = replace(target("prod"), settings={"ORDERS_API_BASE": "https://mine.example"})

    check_stage(StoredSettings(given), given, Progress(told_of))  # type: ignore[arg-type]  # stands in

    assert "ORDERS_API_BASE is https://mine.example, from the environment" in told_of.getvalue()
    assert "CUSTOMERS_API_BASE" not in told_of.getvalue()


def test_an_address_where_the_function_would_find_nothing_is_warned_of() -> None:
    told_of = io.StringIO()
    given = replace(target("prod"), settings={"ORDERS_API_BASE": "https://localhost:3002"})

    check_stage(StoredSettings(given), given, Progress(told_of))  # type: ignore[arg-type]

    assert "warning: ORDERS_API_BASE is on loopback" in told_of.getvalue()
    assert "CUSTOMERS_API_BASE" not in told_of.getvalue()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A working copy with the function's variables in their file."""
    values = {**SETTINGS, **SECRETS, "ENVIRONMENT": "development", "LOG_LEVEL": "INFO"}
    (tmp_path / "orchestrator_image").mkdir()
    (tmp_path / "orchestrator_image" / ".env").write_text(
        "".join(f"{name}={value}\n" for name, value in values.items())
    )
    return tmp_path


def test_sam_local_names_the_variables_of_the_environment_and_shows_no_secret(root: Path) -> None:
    told_of = io.StringIO()
    given = {"ORDERS_API_BASE": "http://mine.example", "SERVICE_TOKEN": "a-token", "PATH": "/"}

    variables = told(root, given, Progress(told_of))

    assert variables["ORDERS_API_BASE"] == "http://mine.example"
    assert variables["SERVICE_TOKEN"] == "a-token"
    assert variables["CUSTOMERS_API_BASE"] == SETTINGS["CUSTOMERS_API_BASE"]
    assert told_of.getvalue().rstrip().endswith(": ORDERS_API_BASE, SERVICE_TOKEN")
    assert "a-token" not in told_of.getvalue()


def test_sam_local_names_what_nobody_tells(root: Path) -> None:
    file = root / "orchestrator_image" / ".env"
    file.write_text(file.read_text().replace("JWT_ISSUER", "# JWT_ISSUER"))

    with pytest.raises(LocalSystemError, match=r"nor the environment has JWT_ISSUER$"):
        told(root, {}, Silence())
