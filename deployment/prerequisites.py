"""What must be there before anything is built, said all at once."""

import shutil
from pathlib import Path

from deployment import commands, soundness
from deployment.account import Account
from deployment.bridge import is_loopback
from deployment.target import SETTINGS, Target
from local_system.failures import LocalSystemError
from local_system.progress import Progress

_PLATFORMS = "Platforms:"


def check_docker(root: Path, platform: str | None = None) -> None:
    """Check that images can be built here, for a platform (``linux/arm64``) if one is given.

    Raises:
        LocalSystemError: names what is missing.
    """
    if shutil.which("docker") is None:
        raise LocalSystemError("docker is needed to build the image: install Docker")
    try:
        commands.printed(["docker", "version", "--format", "{{.Server.Version}}"], root)
    except LocalSystemError as failure:
        said = " ".join(str(failure).split())
        raise LocalSystemError(f"the Docker engine does not answer you: {said}") from failure
    if commands.output(["docker", "buildx", "version"], root) is None:
        raise LocalSystemError("docker buildx is needed to build the image: install the plugin")
    if platform is not None:
        _check_platform(root, platform)


def _check_platform(root: Path, platform: str) -> None:
    """Check that the builder knows the platform; one that has not started yet does not tell."""
    described = commands.output(["docker", "buildx", "inspect"], root) or ""
    known = {
        name.strip(" *")
        for line in described.splitlines()
        if line.startswith(_PLATFORMS)
        for name in line.removeprefix(_PLATFORMS).split(",")
    }
    if known and platform not in known:
        raise LocalSystemError(
            f"docker cannot build for {platform} here (it can for {', '.join(sorted(known))}): "
            "build on such a machine, or give this one an emulator of it "
            "(docker run --privileged --rm tonistiigi/binfmt --install all)"
        )


def check_stage(account: Account, target: Target, progress: Progress) -> str:
    """Check that AWS has what the function must be told; return the secret's version.

    What a variable of the environment decides, instead of the parameter store, is told: it may
    have been meant for something else. An address without TLS is warned of: the token that is sent
    there is no secret any more.

    Raises:
        LocalSystemError: names what is missing and how to put it there, or what is wrong.
    """
    for name, value in target.settings.items():
        progress.note(f"{name} is {value}, from the environment: the parameter store is not asked")
    settings = account.settings()
    missing = [target.ssm_parameter(name) for name in SETTINGS if name not in settings]
    if missing:
        raise LocalSystemError(
            f"the parameter store has no {', '.join(missing)}: aws ssm put-parameter --region "
            f"{target.region} --type String --name {missing[0]} --value ..., or give the value in "
            "the environment (scripts/deploy --help)"
        )
    soundness.check(settings)
    for name in soundness.BASES:
        if is_loopback(settings[name]):
            progress.note(
                f"warning: {name} is on loopback, where the function finds nothing in AWS"
            )
        if not settings[name].startswith("https://"):
            progress.note(f"warning: {name} is not https://: the network can read SERVICE_TOKEN")
    return account.secret_version()
