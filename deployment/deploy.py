"""Deploys the orchestrator to AWS: its image to ECR, then the stack of serverless.yml, by digest.

The image is built for this commit, unless ECR has it already; --image-digest deploys one that is
there, to bring to prod what dev has tried, or to go back. The same command again changes nothing.
"""

import argparse
import os
import re
import shlex
from pathlib import Path

from deployment import dry_run, images, osls, prerequisites
from deployment.account import Account, Running
from deployment.commands import run
from deployment.osls import Osls
from deployment.repository import Repository
from deployment.target import (
    DEFAULT_ARCHITECTURE,
    PLATFORMS,
    SETTINGS,
    STAGES,
    Target,
)
from local_system.arguments import parser
from local_system.construction import ROOT
from local_system.failures import run_verb
from local_system.progress import Progress

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-[0-9]+")
_EXAMPLE = (
    '{"customer_id": 1, "items": [{"product_id": 2, "qty": 3}], "idempotency_key": "a-new-uuid"}'
)


def deploy(target: Target, digest: str | None, root: Path, progress: Progress) -> str:
    """Deploy the image of this digest, else that of the working copy; return what to tell.

    Raises:
        LocalSystemError: something is missing, or a step failed; the message says which.
    """
    if digest is None:
        prerequisites.check_docker(root, target.platform)
    account = Account(target)
    progress.note(f"as {account.identity()}, to {target.region}, stage {target.stage}")
    secret_version = prerequisites.check_stage(account, target, progress)
    repository = Repository(account.ecr)
    repository_uri = repository.ensured()
    if digest is None:
        digest = _pushed(target, repository, repository_uri, root, progress)
    else:
        repository.check_architecture(digest, target.architecture)
    uri, before = f"{repository_uri}@{digest}", account.running()
    Osls(root, progress).run(osls.deploy(target, uri, secret_version))
    repository.keep_deployed(target.stage, digest)
    return report(target, uri, before, account.outputs())


def remove(target: Target, progress: Progress) -> None:
    """Remove the target's stack.

    Raises:
        LocalSystemError: AWS refused, or a resource could not be removed.
    """
    progress.note(f"as {Account(target).identity()}, from {target.region}, stage {target.stage}")
    Osls(ROOT, progress).run(osls.remove(target))


def _pushed(
    target: Target, repository: Repository, uri: str, root: Path, progress: Progress
) -> str:
    """Return the digest of the working copy's image, built and pushed unless it is there."""
    tag = images.tag_of(root, target.architecture)
    found = repository.digest(imageTag=tag)
    if found is not None:
        progress.note(f"the image {tag} is there already")
        return found
    for command in images.build_commands(target, uri, tag):
        run(command, root)
    repository.log_in(root)
    run(images.push_command(uri, tag), root)
    return images.pushed_digest(root, uri, tag)


def report(target: Target, uri: str, before: Running | None, outputs: dict[str, str]) -> str:
    """Return what a person wants to know after a deployment of the image to the target.

    ``before`` is what the function ran until then, ``outputs`` are those of the stack.
    """
    url = outputs["CreateAndConfirmOrderUrl"]
    lines = [
        f"url     {url}",
        f"image   {uri}",
        f"alarms  {outputs['AlarmTopicArn']}",
        "",
        "try it with an operator's token:",
        f'  curl -s {url} -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\',
        f"    -d '{_EXAMPLE}'",
    ]
    back = _way_back(target, uri, before)
    if back:
        lines += ["", "back to what ran before:", f"  {back}"]
    return "\n".join(lines)


def _way_back(target: Target, uri: str, before: Running | None) -> str:
    """Return the command that deploys what ran before; empty if none can."""
    repository = f"{uri.partition('@')[0]}@"
    # A plain osls deploy has a repository of its own, from which nothing is deployed here.
    if before is None or before.image_uri == uri or not before.image_uri.startswith(repository):
        return ""
    given = [f"{name}={shlex.quote(value)}" for name, value in target.settings.items()]
    back = ["scripts/deploy", "--stage", target.stage, "--region", target.region]
    if before.architecture != DEFAULT_ARCHITECTURE:
        back += ["--architecture", before.architecture]
    back += ["--image-digest", before.image_uri.removeprefix(repository)]
    return " ".join([*given, shlex.join(back)])


def default_region() -> str:
    """Return the region where none is given: as ``serverless.yml`` has it for osls alone."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "eu-west-1"


def _digest_argument(text: str) -> str:
    digest = text.rpartition("@")[2]
    if not _DIGEST.fullmatch(digest):
        raise argparse.ArgumentTypeError("a digest is sha256: and 64 hexadecimal digits")
    return digest


def _region_argument(text: str) -> str:
    if not _REGION.fullmatch(text):
        raise argparse.ArgumentTypeError(f"a region is a name like eu-west-1, not {text!r}")
    return text


def _arguments() -> argparse.ArgumentParser:
    arguments = parser(
        "deploy",
        __doc__,
        """
        environment: AWS credentials as for any AWS tool (AWS_PROFILE, AWS_ACCESS_KEY_ID ...);
          CUSTOMERS_API_BASE, ORDERS_API_BASE, JWT_ISSUER, JWT_AUDIENCE: those that are set win,
          and are told; the others come from the parameter store,
          /b2b-back-office/STAGE/customers-api-base and so on. JWT_SECRET and SERVICE_TOKEN
          come from the secret b2b-back-office/STAGE alone. docs/deployment.md tells how to put
          them there.

        examples:
          scripts/deploy --dry-run                  what would be done, and the template; no AWS
          scripts/deploy                            this commit to dev
          scripts/deploy --stage prod --image-digest sha256:...
          scripts/deploy --stage dev --remove
        """,
    )
    arguments.add_argument("--stage", choices=STAGES, default=STAGES[0], help="dev unless given")
    arguments.add_argument(
        "--region",
        type=_region_argument,
        default=default_region(),
        help="AWS_REGION, else AWS_DEFAULT_REGION, else eu-west-1",
    )
    arguments.add_argument(
        "--architecture",
        choices=PLATFORMS,
        default=DEFAULT_ARCHITECTURE,
        help="of the image and the function (%(default)s)",
    )
    what = arguments.add_mutually_exclusive_group()
    what.add_argument(
        "--image-digest",
        type=_digest_argument,
        metavar="DIGEST",
        help="deploy this image of the repository instead of building one (a whole URI does too)",
    )
    what.add_argument("--remove", action="store_true", help="remove the stage's stack; images stay")
    arguments.add_argument(
        "--dry-run", action="store_true", help="say what would be done; asks AWS for nothing"
    )
    return arguments


def main() -> int:
    """Do what the command line asks for."""
    given = _arguments().parse_args()
    settings = {name: os.environ[name] for name in SETTINGS if os.environ.get(name)}
    target = Target(given.stage, given.region, given.architecture, settings)
    progress = Progress()
    if given.dry_run:
        print(dry_run.plan(target, given.image_digest, ROOT, progress, removes=given.remove))
    elif given.remove:
        remove(target, progress)
        print(f"removed: stage {target.stage}. What it leaves: {target.left}")
    else:
        print(deploy(target, given.image_digest, ROOT, progress))
    return 0


if __name__ == "__main__":
    run_verb(main)
