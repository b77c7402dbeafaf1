"""osls, which reads ``serverless.yml``: its command lines, and the template that it makes.

It is the maintained open line of the Serverless Framework 3, pinned in ``package.json``.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from deployment import commands
from deployment.target import REPOSITORY, Target, parameter_name
from local_system import node_packages
from local_system.progress import Progress

NO_IMAGE = f"000000000000.dkr.ecr.eu-west-1.amazonaws.com/{REPOSITORY}@sha256:{'0' * 64}"
"""Stands for an image where none is known."""

TEMPLATE = "cloudformation-template-update-stack.json"


class Osls:
    """osls in a working copy."""

    def __init__(self, root: Path, progress: Progress) -> None:
        self._root = root
        self._progress = progress

    def run(self, arguments: list[str]) -> None:
        """Run osls, installing it first.

        Raises:
            LocalSystemError: it cannot be installed, or it failed.
        """
        osls = node_packages.tool(self._root, "osls", self._progress)
        commands.run([*osls, *arguments], self._root)

    def packaged(self, target: Target, image_uri: str, folder: Path) -> dict[str, Any]:
        """Return the CloudFormation template of a target whose settings are complete.

        Asks AWS for nothing; osls leaves its files in the folder.
        """
        self.run(
            [*_verb("package", target), *_parameters(target, image_uri), "--package", str(folder)]
        )
        template: dict[str, Any] = json.loads((folder / TEMPLATE).read_text())
        return template


def deploy(target: Target, image_uri: str, secret_version: str) -> list[str]:
    """Return the arguments that deploy an image to the target."""
    return [*_verb("deploy", target), *_parameters(target, image_uri, secret_version)]


def remove(target: Target) -> list[str]:
    """Return the arguments that remove the target's stack, whatever its settings are."""
    unknown = replace(target, settings={}).without_aws()
    return [*_verb("remove", target), *_parameters(unknown, NO_IMAGE)]


def _verb(name: str, target: Target) -> list[str]:
    """Return the arguments that any verb of osls takes for the target."""
    return [name, "--stage", target.stage, "--region", target.region]


def _parameters(target: Target, image_uri: str, secret_version: str | None = None) -> list[str]:
    """Return the arguments that name what is to run and what it is told.

    ``image_uri`` ends with a digest. Without ``secret_version`` it is the current one.
    """
    given = {
        "image-uri": image_uri,
        "architecture": target.architecture,
        **{parameter_name(setting): value for setting, value in target.settings.items()},
    }
    if secret_version:
        # CloudFormation's form is stage:id, of which one is given.
        given["secret-version"] = f":{secret_version}"
    return [f"--param={name}={value}" for name, value in given.items()]
