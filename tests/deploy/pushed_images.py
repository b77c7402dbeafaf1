"""Images in a registry of ours and in the engine: looked at, pulled, run, removed."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from deployment.images import LOCAL_IMAGE
from local_system import emulator
from local_system.ports import ADDRESS, free_ports
from local_system.progress import Silence
from tests.deploy.aws_on_loopback import MANIFEST, OCI_MANIFEST
from tests.docker import engine
from tests.docker.composition import ROOT
from tests.docker.engine import docker

BUILT_BY_OSLS = "serverless-b2b-back-office-prod:orchestrator"
ENTRY_POINT = ("python", "-m", "awslambdaric", "orchestrator_image.app.handler")
AWS_LAMBDA_USER = "993:990"


def manifest_of(image_uri: str) -> tuple[str, Any]:
    """Return media type and manifest of an image as the registry has it."""
    host, _, name = image_uri.partition("/")
    repository, _, digest = name.partition("@")
    request = urllib.request.Request(f"http://{host}/v2/{repository}/manifests/{digest}")
    request.add_header("Accept", f"{MANIFEST}, {OCI_MANIFEST}")
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return answer.headers["Content-Type"], json.load(answer)


def remove_images(registry: str, tag: str) -> None:
    """Remove from the engine what was pushed to the registry, and what it was built as."""
    built = [f"{LOCAL_IMAGE}:{tag}", BUILT_BY_OSLS]
    for reference in [*references_to(registry), *built]:
        engine.run("docker", "image", "rm", reference, check=False)


def references_to(registry: str) -> list[str]:
    """Return every name under which the engine has an image of the registry."""
    listed = docker("image", "ls", "--digests", "--format", "{{.Repository}}:{{.Tag}} {{.Digest}}")
    names = [line.split() for line in listed.splitlines() if line.startswith(registry)]
    return [
        name if not name.endswith(":<none>") else f"{name.removesuffix(':<none>')}@{digest}"
        for name, digest in names
    ]


@contextmanager
def under_the_emulator(
    image_uri: str, variables: dict[str, str], timeout_seconds: int
) -> Iterator[str]:
    """Run the image as AWS does: its own user, nothing to write to; yield the emulator's URL.

    It shares this machine's network: the APIs that it calls listen on loopback alone.
    """
    port, runtime_api_port = free_ports(2)
    binary = emulator.binary(ROOT, ROOT / ".run" / "logs" / "emulator.log", Silence())
    settings = {**variables, "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout_seconds)}
    container = docker(
        "run", "--detach", "--init", "--network=host", "--read-only", "--cap-drop=ALL",
        "--security-opt=no-new-privileges", f"--user={AWS_LAMBDA_USER}",
        f"--volume={binary}:/emulator:ro", "--entrypoint=/emulator",
        *(f"--env={name}={value}" for name, value in settings.items()),
        image_uri,
        "--runtime-interface-emulator-address", f"{ADDRESS}:{port}",
        "--runtime-api-address", f"{ADDRESS}:{runtime_api_port}", *ENTRY_POINT,
    )  # fmt: skip
    try:
        yield f"http://{ADDRESS}:{port}"
    finally:
        docker("rm", "--force", container)
