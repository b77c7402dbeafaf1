"""The image that goes to AWS, run here as AWS runs it: its own user, nothing to write to."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployment import commands
from local_system import emulator
from local_system.ports import ADDRESS, free_ports
from local_system.progress import Progress

INVOCATIONS = "/2015-03-31/functions/function/invocations"
PATH = "/orchestrator/create-and-confirm-order"

_AWS_USER = "993:990"
_ENTRY_POINT = ("python", "-m", "awslambdaric", emulator.HANDLER)
LOCKED_DOWN = (
    "--read-only",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    f"--user={_AWS_USER}",
)
"""Docker's options for what AWS does not let a function do."""


@dataclass(frozen=True, slots=True)
class EmulatedFunction:
    """A container with the emulator and the function; it shares this machine's network."""

    container: str
    port: int
    folder: Path

    @property
    def url(self) -> str:
        """The emulator's address."""
        return f"http://{ADDRESS}:{self.port}"

    def start(self) -> None:
        """Start the container.

        Raises:
            LocalSystemError: docker refused.
        """
        commands.printed(["docker", "start", self.container], self.folder)

    def pid(self) -> int:
        """Return the container's first process, whose children are emulator and function."""
        command = ["docker", "inspect", "--format", "{{.State.Pid}}", self.container]
        return int(commands.printed(command, self.folder))


@contextmanager
def emulated(
    image: str,
    variables: Mapping[str, str],
    timeout_seconds: int,
    root: Path,
    progress: Progress,
    options: Sequence[str] = (),
) -> Iterator[EmulatedFunction]:
    """Yield a function that is ready to be started; remove it afterwards.

    Its services may listen on loopback alone. ``options`` are more of ``docker create``'s.

    Raises:
        LocalSystemError: docker refused, or the emulator cannot be fetched.
    """
    port, runtime_api_port = free_ports(2)
    binary = emulator.binary(root, root / ".run" / "logs" / "emulator.log", progress)
    settings = {**variables, "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout_seconds)}
    command = ["docker", "create", "--init", "--network=host", *LOCKED_DOWN, *options]
    command += [f"--volume={binary}:/emulator:ro", "--entrypoint=/emulator"]
    command += [f"--env={name}={value}" for name, value in settings.items()]
    command += [image, "--runtime-interface-emulator-address", f"{ADDRESS}:{port}"]
    command += ["--runtime-api-address", f"{ADDRESS}:{runtime_api_port}", *_ENTRY_POINT]
    container = commands.printed(command, root)
    try:
        yield EmulatedFunction(container, port, root)
    finally:
        commands.printed(["docker", "rm", "--force", container], root)


def http_event(body: Any, token: str) -> dict[str, Any]:
    """Return what an HTTP API makes of a call with an operator's token (payload format 2.0)."""
    return {
        "version": "2.0",
        "routeKey": f"POST {PATH}",
        "rawPath": PATH,
        "rawQueryString": "",
        "headers": {"authorization": f"Bearer {token}", "content-type": "application/json"},
        "requestContext": {"http": {"method": "POST", "path": PATH}, "stage": "$default"},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }
