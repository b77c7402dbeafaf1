"""What the account is asked before anything is deployed, and what is said when it lacks it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from deployment.account import Account, Running
from deployment.target import PLATFORMS
from local_system.failures import LocalSystemError
from tests.deploy.targets import IMAGE_URI, REGION, SECRETS, SETTINGS, target

pytestmark = pytest.mark.deploy

DEV = replace(target("dev"), settings={})


@pytest.fixture(autouse=True)
def _nowhere_but_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        yield


@pytest.fixture
def secrets() -> Any:
    return boto3.client("secretsmanager", region_name=REGION)


def test_the_secret_is_known_by_its_current_version(secrets: Any) -> None:
    secrets.create_secret(Name=DEV.secret, SecretString=str(SECRETS))
    put = secrets.put_secret_value(SecretId=DEV.secret, SecretString="{}")

    assert Account(DEV).secret_version() == put["VersionId"]


def test_a_secret_that_is_not_there_is_said_with_the_command_that_makes_it() -> None:
    remedy = f"create-secret --region {REGION} --name {DEV.secret} "

    with pytest.raises(LocalSystemError, match=rf"there is no secret .*{remedy}"):
        Account(DEV).secret_version()


def test_a_secret_without_a_value_is_said_with_the_command_that_gives_one(secrets: Any) -> None:
    secrets.create_secret(Name=DEV.secret)

    with pytest.raises(LocalSystemError, match="has no value: aws secretsmanager put-secret-value"):
        Account(DEV).secret_version()


def test_a_secret_that_is_about_to_go_is_said_with_the_command_that_keeps_it(secrets: Any) -> None:
    secrets.create_secret(Name=DEV.secret, SecretString=str(SECRETS))
    secrets.delete_secret(SecretId=DEV.secret)

    with pytest.raises(LocalSystemError, match="to be deleted: aws secretsmanager restore-secret"):
        Account(DEV).secret_version()


@pytest.mark.parametrize("kind", ["String", "SecureString"])
def test_settings_are_read_as_osls_reads_them(kind: str) -> None:
    for name, value in SETTINGS.items():
        boto3.client("ssm", region_name=REGION).put_parameter(
            Name=DEV.ssm_parameter(name), Value=value, Type=kind
        )

    assert Account(DEV).settings() == SETTINGS


def test_a_region_that_is_none_is_said_in_one_line() -> None:
    with pytest.raises(LocalSystemError, match=r"looking for credentials: .*nowhere at all"):
        Account(replace(DEV, region="nowhere at all"))


@pytest.mark.parametrize("architecture", PLATFORMS)
def test_what_the_function_runs_is_known_with_its_architecture(architecture: str) -> None:
    role = boto3.client("iam").create_role(RoleName="any", AssumeRolePolicyDocument="{}")["Role"]
    boto3.client("lambda", region_name=REGION).create_function(
        FunctionName=DEV.function,
        Role=role["Arn"],
        PackageType="Image",
        Code={"ImageUri": IMAGE_URI},
        Architectures=[architecture],
    )

    assert Account(DEV).running() == Running(IMAGE_URI, architecture)


def test_before_the_first_deployment_there_is_nothing_that_runs() -> None:
    assert Account(DEV).running() is None
