"""The AWS account: who we are there, and what the stage already has."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from deployment.target import SETTINGS, Target
from local_system.failures import LocalSystemError

_CREDENTIALS = (
    "there are no AWS credentials: aws configure, or AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY"
)


@dataclass(frozen=True, slots=True)
class Running:
    """What a function runs: an image, and the architecture that it is of."""

    image_uri: str
    architecture: str


class Account:
    """The account of the credentials at hand, in the target's region."""

    def __init__(self, target: Target) -> None:
        self._target = target
        with asked("looking for credentials"):
            self._session = boto3.session.Session(region_name=target.region)
            if self._session.get_credentials() is None:
                raise LocalSystemError(_CREDENTIALS)
            self.ecr = self._session.client("ecr")

    def identity(self) -> str:
        """Return the ARN of who we are."""
        with asked("asking who we are (sts)"):
            return str(self._session.client("sts").get_caller_identity()["Arn"])

    def settings(self) -> dict[str, str]:
        """Return the settings as they were given, else as the parameter store has them."""
        names = {
            self._target.ssm_parameter(setting): setting
            for setting in SETTINGS
            if setting not in self._target.settings
        }
        if not names:
            return dict(self._target.settings)
        with asked("reading the parameter store (ssm)"):
            found = self._session.client("ssm").get_parameters(
                Names=sorted(names), WithDecryption=True
            )
        stored = {names[one["Name"]]: one["Value"] for one in found["Parameters"]}
        return {**stored, **self._target.settings}

    def secret_version(self) -> str:
        """Return the id of the secret's current version; its value is not read.

        Raises:
            LocalSystemError: there is no such secret, or none any more; names the remedy.
        """
        name = self._target.secret
        there = f"--region {self._target.region}"
        client = self._session.client("secretsmanager")
        with asked(f"looking for the secret {name} (secretsmanager)"):
            try:
                described = client.describe_secret(SecretId=name)
            except client.exceptions.ResourceNotFoundException:
                raise LocalSystemError(
                    f"there is no secret {name}: aws secretsmanager create-secret {there} "
                    f"--name {name} --secret-string file://..., a JSON object of JWT_SECRET and "
                    "SERVICE_TOKEN"
                ) from None
        if "DeletedDate" in described:
            raise LocalSystemError(
                f"the secret {name} is about to be deleted: aws secretsmanager restore-secret "
                f"{there} --secret-id {name}"
            )
        for version, stages in described.get("VersionIdsToStages", {}).items():
            if "AWSCURRENT" in stages:
                return str(version)
        raise LocalSystemError(
            f"the secret {name} has no value: aws secretsmanager put-secret-value {there} "
            f"--secret-id {name} --secret-string file://..."
        )

    def running(self) -> Running | None:
        """Return what the function runs now; None before the first deployment."""
        client = self._session.client("lambda")
        with asked("looking at the function (lambda)"):
            try:
                found = client.get_function(FunctionName=self._target.function)
            except client.exceptions.ResourceNotFoundException:
                return None
        (architecture,) = found["Configuration"]["Architectures"]
        return Running(str(found["Code"]["ImageUri"]), str(architecture))

    def outputs(self) -> dict[str, str]:
        """Return the outputs of the target's stack."""
        with asked("reading the stack's outputs (cloudformation)"):
            client = self._session.client("cloudformation")
            (stack,) = client.describe_stacks(StackName=self._target.stack)["Stacks"]
        outputs: list[dict[str, Any]] = stack.get("Outputs", [])
        return {output["OutputKey"]: output["OutputValue"] for output in outputs}


@contextmanager
def asked(what: str) -> Iterator[None]:
    """Turn AWS's refusals into a line for a person.

    Raises:
        LocalSystemError: AWS refused, or was not reached.
    """
    try:
        yield
    except (ClientError, BotoCoreError) as failure:
        raise LocalSystemError(f"{what}: {failure}") from failure
