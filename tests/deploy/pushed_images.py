"""Images in a registry of ours and in the engine: looked at, pulled, removed."""

import json
import urllib.request
from typing import Any

from deployment.images import LOCAL_IMAGE
from tests.deploy.aws_on_loopback import MANIFEST, OCI_MANIFEST
from tests.docker import engine
from tests.docker.engine import docker

BUILT_BY_OSLS = "serverless-b2b-back-office-prod:orchestrator"


def manifest_of(image_uri: str) -> tuple[str, Any]:
    """Return media type and manifest of an image as the registry has it."""
    host, _, name = image_uri.partition("/")
    repository, _, digest = name.partition("@")
    request = urllib.request.Request(f"http://{host}/v2/{repository}/manifests/{digest}")
    request.add_header("Accept", f"{MANIFEST}, {OCI_MANIFEST}")
    with urllib.request.urlopen(request, timeout=10) as answer:
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
