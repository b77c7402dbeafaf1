"""What must be there before anything is built, said all at once."""

import shutil
from pathlib import Path

from deployment import commands
from deployment.account import Account
from deployment.target import SETTINGS, Target
from local_system.failures import LocalSystemError
from local_system.progress import Progress

_BASES = ("CUSTOMERS_API_BASE", "ORDERS_API_BASE")


def check_docker(root: Path) -> None:
    """Check that images can be built here.

    Raises:
        LocalSystemError: names what is missing.
    """
    if shutil.which("docker") is None:
        raise LocalSystemError("docker is needed to build the image: install Docker")
    if commands.output(["docker", "version", "--format", "{{.Server.Version}}"], root) is None:
        raise LocalSystemError("the Docker engine does not answer: start it (docker version)")
    if commands.output(["docker", "buildx", "version"], root) is None:
        raise LocalSystemError("docker buildx is needed to build the image: install the plugin")


def check_stage(account: Account, target: Target, progress: Progress) -> str:
    """Check that AWS has what the function must be told; return the secret's version.

    What a variable of the environment decides, instead of the parameter store, is told: it may
    have been meant for something else. An address without TLS is warned of: the token that is sent
    there is no secret any more.

    Raises:
        LocalSystemError: names what is missing and how to put it there.
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
    for name in _BASES:
        if not settings[name].startswith("https://"):
            progress.note(f"warning: {name} is not https://: the network can read SERVICE_TOKEN")
    return account.secret_version()
