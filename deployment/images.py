"""The image: how it is built and pushed; there is one for each commit."""

import json
import time
import tomllib
from pathlib import Path

from deployment import commands
from deployment.target import Target
from local_system.failures import LocalSystemError

LOCAL_IMAGE = "back-office/orchestrator-lambda"
"""What ``scripts/build`` calls it."""


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


def tag_of(root: Path, architecture: str) -> str:
    """Return the tag of the working copy's image: version, commit and architecture.

    What is more than a commit gets the time too, and so is never taken for what was built before.
    """
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    commit = commands.output(["git", "rev-parse", "--short=12", "HEAD"], root)
    if commit and commands.output(["git", "status", "--porcelain"], root) == "":
        return f"{version}-{commit}-{architecture}"
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    return "-".join(filter(None, (version, commit, "dirty", now, architecture)))
