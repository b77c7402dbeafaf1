"""The container engine of this machine, if it has one."""

import functools
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

BASE_IMAGES = ("python:3.13-slim", "mysql:9.7")

# Nothing of the caller's environment may choose another project, image, port or secret.
_PREFIXES = ("COMPOSE_", "BUILDX_", "JWT_", "MYSQL_")
_NAMES = {
    "IMAGE_TAG", "VERSION", "REVISION", "SERVICE_TOKEN", "GATEWAY_PORT", "CUSTOMERS_PORT",
    "ORDERS_PORT", "RIE_PORT",
}  # fmt: skip


def environment(**variables: str) -> dict[str, str]:
    """Return the environment of a command: the caller's, without what would lead astray."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_PREFIXES) and name not in _NAMES
    }
    return {**kept, **variables}


def run(
    *command: str,
    variables: Mapping[str, str] | None = None,
    given: str | None = None,
    seconds: float = 60,
    check: bool = True,
) -> subprocess.CompletedProcess[str]:
    """Run a command; when it fails, say what it printed."""
    done = subprocess.run(
        command,
        env=environment(**(variables or {})),
        input=given,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert not check or done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done


def docker(*arguments: str, seconds: float = 60) -> str:
    """Run docker and return what it printed on standard output."""
    return run("docker", *arguments, seconds=seconds).stdout.strip()


def inspected(name: str) -> Any:
    """Return all that the engine knows of an image or a container."""
    (found,) = json.loads(docker("inspect", name))
    return found


@functools.cache
def missing() -> str:
    """Say what is missing here to build and run the images; empty if nothing is."""
    if shutil.which("docker") is None:
        return "there is no docker command"
    for what, command in (
        ("a running Docker engine", ("docker", "version")),
        ("Docker Compose 2", ("docker", "compose", "version")),
        ("Docker Buildx", ("docker", "buildx", "version")),
        *((f"the image {name}", ("docker", "image", "inspect", name)) for name in BASE_IMAGES),
    ):
        try:
            if run(*command, check=False).returncode != 0:
                return f"{what} is missing"
        except subprocess.TimeoutExpired:
            return f"{what} is missing: no answer"
    return ""
