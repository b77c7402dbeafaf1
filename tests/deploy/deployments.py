"""The deployment of a clone to the stand-in for AWS, by the script that people use."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployment.target import SETTINGS, parameter_name
from local_system import node_packages
from local_system.progress import Silence
from tests.deploy.servers import Cloud

DEPLOY_SECONDS = 400
FUNCTION = "b2b-back-office-orchestrator-{stage}"

_REFERENCE = re.compile(
    r"\{\{resolve:secretsmanager:(?P<id>[^:]+):SecretString:(?P<key>\w+)"
    r":(?P<stage>\w*):?(?P<version>[\w-]*)\}\}"
)


@dataclass(frozen=True, slots=True)
class Deployer:
    """Runs the clone's tools against the cloud."""

    clone: Path
    cloud: Cloud

    def describe(self, stage: str, variables: dict[str, str]) -> None:
        """Put into AWS what the stage's function must be told, as docs/deployment.md says."""
        for setting in SETTINGS:
            self.cloud.client("ssm").put_parameter(
                Name=f"/b2b-back-office/{stage}/{parameter_name(setting)}",
                Value=variables[setting],
                Type="String",
            )
        self.cloud.client("secretsmanager").create_secret(
            Name=f"b2b-back-office/{stage}", SecretString=_secrets_of(variables)
        )

    def rotate(self, stage: str, variables: dict[str, str]) -> str:
        """Give the stage's secret a new value; return its version."""
        put = self.cloud.client("secretsmanager").put_secret_value(
            SecretId=f"b2b-back-office/{stage}", SecretString=_secrets_of(variables)
        )
        return str(put["VersionId"])

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run scripts/deploy."""
        return self._run(str(self.clone / "scripts" / "deploy"), *arguments, **variables)

    def osls(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run osls itself, as `npx osls` does; it must succeed."""
        done = self._run(*node_packages.tool(self.clone, "osls", Silence()), *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def deployed(self, *arguments: str) -> str:
        """Run scripts/deploy, which must succeed; return what it printed for people."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def stack(self, stage: str) -> Any:
        """Return what CloudFormation says of the stage's stack."""
        client = self.cloud.client("cloudformation")
        (stack,) = client.describe_stacks(StackName=f"b2b-back-office-{stage}")["Stacks"]
        return stack

    def image_uri(self, stage: str) -> str:
        """Return the image that the function was given."""
        found = self.cloud.client("lambda").get_function(FunctionName=FUNCTION.format(stage=stage))
        return str(found["Code"]["ImageUri"])

    def variables(self, stage: str) -> dict[str, str]:
        """Return the function's variables as they stand in the stack: secrets as references."""
        client = self.cloud.client("lambda")
        found = client.get_function_configuration(FunctionName=FUNCTION.format(stage=stage))
        return dict(found["Environment"]["Variables"])

    def resolved(self, variables: dict[str, str]) -> dict[str, str]:
        """Put the secrets in, as CloudFormation does and moto does not."""
        return {name: self._resolved(value) for name, value in variables.items()}

    def _resolved(self, value: str) -> str:
        reference = _REFERENCE.fullmatch(value)
        if reference is None:
            return value
        version = {"VersionId": reference["version"]} if reference["version"] else {}
        found = self.cloud.client("secretsmanager").get_secret_value(
            SecretId=reference["id"], **version
        )
        return str(json.loads(found["SecretString"])[reference["key"]])

    def _run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.clone,
            env=self.cloud.environment(**variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEPLOY_SECONDS,
            check=False,
        )


def _secrets_of(variables: dict[str, str]) -> str:
    return json.dumps({name: variables[name] for name in ("JWT_SECRET", "SERVICE_TOKEN")})
