"""A Docker registry and a stand-in for AWS, both on loopback, on free ports, for one test run."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from local_system import calls, debian_packages
from local_system.failures import LocalSystemError
from local_system.ports import ADDRESS, free_ports
from local_system.processes import bound_to_parent
from local_system.progress import Silence
from tests.deploy.targets import REGION
from tests.docker import engine
from tests.waiting import wait_until

START_SECONDS = 60
REGISTRY = "docker-registry"

_CONFIGURATION = """\
version: 0.1
log: {{level: warn}}
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: "{address}:{port}"}}
"""


@dataclass(frozen=True, slots=True)
class Cloud:
    """AWS as our tools see it here; ``variables`` lead them to it and away from any other."""

    registry: str
    variables: dict[str, str]

    def client(self, service: str) -> Any:
        """Return a client of one of AWS's services."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.variables["AWS_ENDPOINT_URL"],
            aws_access_key_id=self.variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.variables["AWS_SECRET_ACCESS_KEY"],
        )

    def environment(self, **more: str) -> dict[str, str]:
        """Return the whole environment of a tool."""
        kept = {
            name: value
            for name, value in engine.environment().items()
            if not name.startswith(("AWS_", "CUSTOMERS_", "ORDERS_"))
        }
        return {**kept, **self.variables, **more}


def missing(log: Path) -> str:
    """Say what is missing here to push an image to a registry of our own; empty if nothing is."""
    if engine.missing():
        return engine.missing()
    try:
        debian_packages.found_or_installed(
            lambda: shutil.which(REGISTRY),
            (REGISTRY,),
            "image registry",
            f"apt-get install {REGISTRY}",
            log,
            Silence(),
        )
    except LocalSystemError as failure:
        return str(failure)
    return ""


@contextmanager
def cloud(folder: Path) -> Iterator[Cloud]:
    """Run both; everything that they and our tools write is in the folder."""
    registry_port, aws_port = free_ports(2)
    configuration = folder / "registry.yml"
    configuration.write_text(
        _CONFIGURATION.format(folder=folder / "registry", address=ADDRESS, port=registry_port)
    )
    aws = str(Path(__file__).parent / "aws_on_loopback.py")
    ports = (str(aws_port), str(registry_port))
    variables = {
        "AWS_ENDPOINT_URL": f"http://{ADDRESS}:{aws_port}",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        # Where docker login writes.
        "DOCKER_CONFIG": str(folder / "docker"),
        # How often osls looks whether CloudFormation is done, in milliseconds.
        "SLS_AWS_MONITORING_FREQUENCY": "300",
    }
    with (
        running_program([REGISTRY, "serve", str(configuration)], folder / "registry.log"),
        running_program([sys.executable, aws, *ports], folder / "aws.log"),
    ):
        wait_for(f"http://{ADDRESS}:{registry_port}/v2/")
        wait_for(f"http://{ADDRESS}:{aws_port}/moto-api/")
        yield Cloud(f"{ADDRESS}:{registry_port}", variables)


@contextmanager
def running_program(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Run a program that ends when it is told to (SIGTERM), and writes to the log until then."""
    with log.open("w") as output:
        process = subprocess.Popen(
            bound_to_parent(command, "KILL"),
            cwd=log.parent,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)


def wait_for(url: str) -> None:
    """Return as soon as there is an answer, whatever it says."""
    wait_until(lambda: _is_answered(url), f"an answer from {url}", START_SECONDS)


def _is_answered(url: str) -> bool:
    try:
        calls.get(url, timeout_seconds=5)
    except LocalSystemError:
        return False
    return True
