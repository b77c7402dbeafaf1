"""What would be done, in the order in which it would be; nothing of AWS is asked."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from deployment import images, osls, soundness, template
from deployment.osls import Osls
from deployment.repository import DEPLOYED, KEPT_IMAGES
from deployment.target import REPOSITORY, Target
from local_system.progress import Progress

_ACCOUNT = "000000000000"
_VERSION = "VERSION-OF-THE-SECRET"


def plan(
    target: Target, digest: str | None, root: Path, progress: Progress, *, removes: bool
) -> str:
    """Return what `deploy` or `remove` would do, for a person; packages the template on the way.

    Raises:
        LocalSystemError: the settings that are known are wrong, or serverless.yml is.
    """
    if removes:
        command = _shown(["osls", *osls.remove(target)])
        return (
            f"would remove the stack {target.stack} in {target.region}:\n  {command}\n"
            f"what it leaves: {target.left}"
        )
    soundness.check(target.settings)
    repository_uri = f"{_ACCOUNT}.dkr.ecr.{target.region}.amazonaws.com/{REPOSITORY}"
    tag = images.tag_of(root, target.architecture)
    image_uri = f"{repository_uri}@{digest or 'sha256:' + '0' * 64}"
    written = _packaged(target, image_uri, root, progress)
    lines = [
        f"would deploy to stage {target.stage} in {target.region}; nothing of AWS was asked, so",
        f"account ({_ACCOUNT}), digest and whatever AWS knows are stand-ins:",
        "",
        "1. check the credentials, the parameters and the secret",
        *(f"     {target.ssm_parameter(name)}" for name in _unknown(target)),
        *(
            f"     {name} is {value}, from the environment"
            for name, value in target.settings.items()
        ),
        f"     {target.secret} (its current version is named in the template, its value is not)",
        *_image_steps(target, repository_uri, tag, digest),
        "3. deploy the stack by the image's digest",
        f"     {_shown(['osls', *osls.deploy(target, image_uri, _VERSION)])}",
        f"4. tag the image {DEPLOYED}{target.stage}, so that it never expires",
        "5. print the URL, a curl, and how to go back",
        "",
        f"the template, {len(written)} resources, is in {_folder(target)}/template.yml:",
        *(f"     {kind:<32} {name}" for name, kind in written.items()),
    ]
    return "\n".join(lines)


def _unknown(target: Target) -> list[str]:
    return [name for name in target.without_aws().settings if name not in target.settings]


def _image_steps(target: Target, repository_uri: str, tag: str, digest: str | None) -> list[str]:
    if digest is not None:
        return [f"2. check that {REPOSITORY} has the image {digest}"]
    registry = repository_uri.partition("/")[0]
    steps = [
        *images.build_commands(target, repository_uri, tag),
        images.log_in_command("AWS", f"https://{registry}"),
        images.push_command(repository_uri, tag),
    ]
    return [
        f"2. the repository {REPOSITORY}, made if it is not there: scan on push, tags that stay;",
        f"   it keeps the last {KEPT_IMAGES} images and all that a stage runs or ran before; then",
        f"   the image, unless one has the tag {tag} already:",
        *(f"     {_shown(step)}" for step in steps),
    ]


def _packaged(target: Target, image_uri: str, root: Path, progress: Progress) -> dict[str, str]:
    folder = root / _folder(target)
    packaged = Osls(root, progress).packaged(target.without_aws(), image_uri, folder)
    (folder / "template.yml").write_text(template.readable(packaged))
    return template.resources(packaged)


def _folder(target: Target) -> Path:
    # Not in .serverless: osls copies that folder into the one that it is given.
    return Path("build") / f"deployment-{target.stage}"


def _shown(command: Sequence[str]) -> str:
    return shlex.join(command)
