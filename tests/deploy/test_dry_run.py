"""scripts/deploy --dry-run: what it says, without an AWS account and without asking for one."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployment.target import STAGES

pytestmark = pytest.mark.deploy

DIGEST = "sha256:" + "ab" * 32


def dry_run(clone: Path, *arguments: str, **variables: str) -> str:
    """Run it, which must succeed; return what it said."""
    done = run(clone, *arguments, **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run(clone: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run it where nothing of AWS can be reached and no credentials are."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_EC2_METADATA_DISABLED": "true"}
    files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return subprocess.run(
        [clone / "scripts" / "deploy", "--dry-run", *arguments],
        env={**kept, **nowhere, **files, "ORDERS_API_BASE": "https://orders.example", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def template_of(clone: Path, stage: str) -> Any:
    return yaml.safe_load((clone / "build" / f"deployment-{stage}" / "template.yml").read_text())


@pytest.mark.parametrize("stage", STAGES)
def test_it_tells_each_command_and_writes_the_template_for_people(clone: Path, stage: str) -> None:
    said = dry_run(clone, "--stage", stage)

    in_order = ["scripts/build --tag", "docker tag", "docker login", "docker push", "osls deploy"]
    assert sorted(in_order, key=said.index) == in_order
    assert f"/b2b-back-office/{stage}/customers-api-base" in said
    # What was given here is not looked up there.
    assert "orders-api-base\n" not in said
    function = template_of(clone, stage)["Resources"]["OrchestratorLambdaFunction"]["Properties"]
    assert function["FunctionName"] == f"b2b-back-office-orchestrator-{stage}"
    assert function["Environment"]["Variables"]["ORDERS_API_BASE"] == "https://orders.example"


def test_a_digest_that_is_given_is_built_by_nobody(clone: Path) -> None:
    said = dry_run(clone, "--stage", "prod", "--image-digest", DIGEST)

    assert "scripts/build" not in said
    assert f"orchestrator@{DIGEST}" in said
    code = template_of(clone, "prod")["Resources"]["OrchestratorLambdaFunction"]["Properties"][
        "Code"
    ]
    assert code["ImageUri"].endswith(DIGEST)


def test_a_removal_is_told_too(clone: Path) -> None:
    said = dry_run(clone, "--stage", "prod", "--remove")

    assert "would remove the stack b2b-back-office-prod" in said
    assert "osls remove --stage prod" in said
    assert "what it leaves: images in ECR" in said
    assert "the secret b2b-back-office/prod" in said
    # Their groups are resources of the stack.
    assert said.endswith("; but no logs\n")


def test_another_architecture_is_built_and_deployed_together(clone: Path) -> None:
    said = dry_run(clone, "--stage", "dev", "--architecture", "arm64")

    assert "--platform linux/arm64" in said
    # Nor is the image of one taken for that of the other.
    assert re.search(r"orchestrator:\S+-arm64$", said, re.MULTILINE)
    function = template_of(clone, "dev")["Resources"]["OrchestratorLambdaFunction"]["Properties"]
    assert function["Architectures"] == ["arm64"]


def test_a_removal_does_not_look_at_what_the_function_was_told(clone: Path) -> None:
    said = dry_run(clone, "--stage", "dev", "--remove", JWT_ISSUER="${env:HOME}")

    assert "HOME" not in said


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        ((), {"CUSTOMERS_API_BASE": "customers.example"}, "CUSTOMERS_API_BASE must be an http or"),
        ((), {"JWT_ISSUER": "${env:HOME}"}, "JWT_ISSUER must not contain ${"),
        ((), {"AWS_REGION": "Ireland"}, "a region is a name like eu-west-1, not 'Ireland'"),
        (("--region", ""), {}, "a region is a name like eu-west-1, not ''"),
    ],
)
def test_what_cannot_be_deployed_is_said_in_one_line(
    clone: Path, arguments: tuple[str, ...], variables: dict[str, str], said: str
) -> None:
    done = run(clone, *arguments, **variables)

    assert done.returncode != 0
    assert said in done.stderr.splitlines()[-1]
