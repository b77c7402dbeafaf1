"""The image in ECR: one repository for all stages, an image for each commit."""

import base64
import json
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployment import commands
from deployment.account import asked
from deployment.target import REPOSITORY, Target
from local_system.failures import LocalSystemError

LOCAL_IMAGE = "back-office/orchestrator-lambda"
"""What ``scripts/build`` calls it."""

KEPT_IMAGES = 100
LIFECYCLE = {
    "rules": [
        {
            "rulePriority": 1,
            "description": f"the last {KEPT_IMAGES} are kept",
            "selection": {
                "tagStatus": "any",
                "countType": "imageCountMoreThan",
                "countNumber": KEPT_IMAGES,
            },
            "action": {"type": "expire"},
        }
    ]
}


@dataclass(frozen=True, slots=True)
class Repository:
    """The repository in ECR, which scans what is pushed and never changes what a tag means."""

    ecr: Any

    def ensured(self) -> str:
        """Return the repository's URI, making it if it is not there."""
        with asked("looking for the repository (ecr)"):
            try:
                described = self.ecr.describe_repositories(repositoryNames=[REPOSITORY])
                return str(described["repositories"][0]["repositoryUri"])
            except self.ecr.exceptions.RepositoryNotFoundException:
                pass
            made = self.ecr.create_repository(
                repositoryName=REPOSITORY,
                imageTagMutability="IMMUTABLE",
                imageScanningConfiguration={"scanOnPush": True},
            )
            self.ecr.put_lifecycle_policy(
                repositoryName=REPOSITORY, lifecyclePolicyText=json.dumps(LIFECYCLE)
            )
        return str(made["repository"]["repositoryUri"])

    def digest(self, **identifier: str) -> str | None:
        """Return the digest of the image of this ``imageTag`` or ``imageDigest``; None without."""
        with asked("looking for the image (ecr)"):
            try:
                found = self.ecr.describe_images(repositoryName=REPOSITORY, imageIds=[identifier])
            except self.ecr.exceptions.ImageNotFoundException:
                return None
            except self.ecr.exceptions.RepositoryNotFoundException:
                return None
        return str(found["imageDetails"][0]["imageDigest"])

    def log_in(self, root: Path) -> None:
        """Let docker push to the registry, for the hours that AWS gives."""
        with asked("asking for a password of the registry (ecr)"):
            (given,) = self.ecr.get_authorization_token()["authorizationData"]
        user, _, password = base64.b64decode(given["authorizationToken"]).decode().partition(":")
        commands.run(log_in_command(user, given["proxyEndpoint"]), root, given=password)


def log_in_command(user: str, registry: str) -> list[str]:
    """Return the command that takes the password on its standard input."""
    return ["docker", "login", "--username", user, "--password-stdin", registry]


def build_commands(target: Target, repository_uri: str, tag: str) -> list[list[str]]:
    """Return the commands that build the image and give it its name in the registry.

    ``scripts/build`` makes a plain image of one architecture, without attestations: AWS Lambda
    refuses the index that these would make of it.
    """
    local = f"{LOCAL_IMAGE}:{tag}"
    build = ["scripts/build", "--tag", tag, "--platform", target.platform, "orchestrator-lambda"]
    return [build, ["docker", "tag", local, f"{repository_uri}:{tag}"]]


def push_command(repository_uri: str, tag: str) -> list[str]:
    """Return the command that pushes the image."""
    return ["docker", "push", f"{repository_uri}:{tag}"]


def pushed_digest(root: Path, repository_uri: str, tag: str) -> str:
    """Return the digest under which the registry took the image.

    Raises:
        LocalSystemError: docker does not tell.
    """
    command = ["docker", "image", "inspect", "--format", "{{json .RepoDigests}}"]
    known = commands.output([*command, f"{repository_uri}:{tag}"], root)
    for name in json.loads(known or "[]"):
        repository, _, digest = name.partition("@")
        if repository == repository_uri:
            return str(digest)
    raise LocalSystemError(f"docker does not know the digest of {repository_uri}:{tag}")


def tag_of(root: Path) -> str:
    """Return the tag of the working copy: version and commit.

    What is more than a commit gets the time too, and so is never taken for what was built before.
    """
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    commit = commands.output(["git", "rev-parse", "--short=12", "HEAD"], root)
    if commit and commands.output(["git", "status", "--porcelain"], root) == "":
        return f"{version}-{commit}"
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    return "-".join(filter(None, (version, commit, "dirty", now)))
