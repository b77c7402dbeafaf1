"""Serves the packaged template by AWS's own tool: sam local start-api, in front of our services.

The route, the integration and the function are those of serverless.yml; each call runs the image
in a container of its own. The services are those that run on this machine (scripts/up).
"""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deployment import bridge, commands, osls, prerequisites, sam
from deployment.osls import Osls
from deployment.target import PLATFORMS, SETTINGS, Target
from local_system import environment
from local_system.arguments import parser
from local_system.construction import ROOT
from local_system.failures import LocalSystemError, run_verb
from local_system.ports import ADDRESS, port_number
from local_system.private_files import write_private
from local_system.processes import bound_to_parent
from local_system.progress import Progress

FOLDER = Path("build") / "sam-local"
IMAGE = "back-office/orchestrator-sam"
_BUILT = "back-office/orchestrator-lambda"
_STAGE, _REGION = "dev", "eu-west-1"
_FUNCTION = "OrchestratorLambdaFunction"
_TAG = "sam-local"
_PLATFORM = "{{.Server.Os}}/{{.Server.Arch}}"
_TOLD = (*SETTINGS, "JWT_SECRET", "SERVICE_TOKEN", "ENVIRONMENT", "LOG_LEVEL")
_BASES = ("CUSTOMERS_API_BASE", "ORDERS_API_BASE")
_PORT = 3080


def serve(variables: Mapping[str, str], port: int, root: Path, progress: Progress) -> int:
    """Serve until Ctrl-C; return sam's exit code.

    ``variables`` are the function's; addresses on loopback are made reachable for containers.

    Raises:
        LocalSystemError: something is missing, or cannot be built or packaged.
    """
    prerequisites.check_docker(root)
    architecture = engine_architecture(root)
    bases = [variables[name] for name in _BASES]
    with bridge.reachable(bases, _bridge_address(root)) as urls:
        variables = {**variables, **dict(zip(_BASES, urls, strict=True))}
        target = Target(_STAGE, _REGION, architecture, {name: variables[name] for name in SETTINGS})
        with tempfile.TemporaryDirectory(prefix="sam-local-", dir=_folder(root)) as folder:
            image = f"{IMAGE}:{Path(folder).name.lower()}"
            try:
                _build(image, root)
                packaged = _packaged(target, image, Path(folder), root, progress)
                files = _written(packaged, variables, Path(folder))
                return _run(files, port, root, progress)
            finally:
                images = [image, _with_emulator(image, architecture)]
                commands.output(["docker", "image", "rm", *images], root)


def _folder(root: Path) -> Path:
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    return root / FOLDER


def _build(image: str, root: Path) -> None:
    """Build the image, and on top of it one in which SAM can put its emulator.

    SAM adds the emulator by a RUN of the image's own user, who here may write nothing. AWS does
    not, and chooses a user of its own.
    """
    commands.run(["scripts/build", "--tag", _TAG, "orchestrator-lambda"], root)
    command = ["docker", "buildx", "build", "--load", "--quiet", "--tag", image, "-"]
    commands.run(command, root, given=f"FROM {_BUILT}:{_TAG}\nUSER root\n")


def _packaged(
    target: Target, image: str, folder: Path, root: Path, progress: Progress
) -> dict[str, Any]:
    """Return the template as osls packages it, but for the image.

    SAM runs no image that only a registry has: this one's name is another than in AWS.
    """
    packaged = Osls(root, progress).packaged(target, osls.NO_IMAGE, folder / "package")
    packaged["Resources"][_FUNCTION]["Properties"]["Code"]["ImageUri"] = image
    return packaged


def _written(
    packaged: dict[str, Any], variables: Mapping[str, str], folder: Path
) -> tuple[Path, Path]:
    """Write what SAM reads: the template and the function's variables."""
    template, environment_file = folder / "template.json", folder / "variables.json"
    template.write_text(json.dumps(packaged, indent=2))
    # SAM leaves references to Secrets Manager as they are: the values come from here.
    write_private(environment_file, json.dumps({_FUNCTION: dict(variables)}))
    return template, environment_file


def _run(files: Sequence[Path], port: int, root: Path, progress: Progress) -> int:
    template, variables = files
    command = [str(sam.program(root, progress)), "local", "start-api", "--template", str(template)]
    command += ["--env-vars", str(variables), "--host", ADDRESS, "--port", str(port)]
    # Whoever asks us to end means sam too, which then removes its containers. Where SIGINT is
    # ignored (a shell's background job) sam would inherit that, and never end.
    for asked_to_end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked_to_end, signal.default_int_handler)
    with subprocess.Popen(
        bound_to_parent([*command, "--skip-pull-image"], "INT"),
        cwd=template.parent,
        env=sam.environment(root, _REGION),
        stdin=subprocess.DEVNULL,
    ) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            return process.wait()


def _with_emulator(image: str, architecture: str) -> str:
    """Return the name under which SAM keeps the image with its emulator in it."""
    return f"{image.partition(':')[0]}:rapid-{architecture}"


def engine_architecture(root: Path) -> str:
    """Return the engine's own architecture: the image is built for it, so the emulator must be."""
    platform = commands.output(["docker", "version", "--format", _PLATFORM], root)
    for architecture, name in PLATFORMS.items():
        if name == platform:
            return architecture
    raise LocalSystemError(f"Lambda runs on {' and '.join(PLATFORMS)} alone, docker on {platform}")


def _bridge_address(root: Path) -> str:
    """Return this machine's address in the network of containers."""
    form = "{{(index .IPAM.Config 0).Gateway}}"
    found = commands.output(["docker", "network", "inspect", "bridge", "--format", form], root)
    if not found:
        raise LocalSystemError("docker has no network named bridge, by which SAM runs containers")
    return found


def told(root: Path, given: Mapping[str, str], progress: Progress) -> dict[str, str]:
    """Return the function's variables: those that are ``given``, else those of its ``.env``.

    Raises:
        LocalSystemError: there is no such file, or neither has a variable.
    """
    file = environment.env_file(root, "orchestrator_image")
    if not file.exists():
        raise LocalSystemError(f"there is no {file}: scripts/up makes it")
    values = environment.read(file)
    of_the_environment = {name: given[name] for name in _TOLD if given.get(name)}
    if of_the_environment:
        progress.note(f"from the environment, not from {file}: {', '.join(of_the_environment)}")
    variables = {**values, **of_the_environment}
    missing = [name for name in _TOLD if not variables.get(name)]
    if missing:
        raise LocalSystemError(f"neither {file} nor the environment has {', '.join(missing)}")
    return {name: variables[name] for name in _TOLD}


def main() -> int:
    """Serve what the command line asks for."""
    arguments = parser(
        "sam-local",
        __doc__,
        """
        environment: what orchestrator_image/.env has (CUSTOMERS_API_BASE ...) may be given, and
          then wins

        example, with the system running:
          scripts/sam-local
          curl -s http://127.0.0.1:3080/orchestrator/create-and-confirm-order \\
            -H "Authorization: Bearer $(scripts/token)" -H "Content-Type: application/json" \\
            -d '{"customer_id": 1, "items": [{"product_id": 2, "qty": 3}], "idempotency_key": "k"}'
        """,
    )
    arguments.add_argument("--port", default=str(_PORT), help=f"{_PORT} unless given")
    port = port_number("--port", arguments.parse_args().port)
    progress = Progress()
    return serve(told(ROOT, os.environ, progress), port, ROOT, progress)


if __name__ == "__main__":
    run_verb(main)
