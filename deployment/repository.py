"""The repository in ECR: one for all stages; what a stage runs never expires in it."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployment import commands
from deployment.account import asked
from deployment.images import log_in_command
from deployment.target import PLATFORMS, REPOSITORY
from local_system.failures import LocalSystemError

KEPT_IMAGES = 100
DEPLOYED = "deployed-"
"""How the tags begin that move: ``deployed-STAGE`` is what the stage runs,
``deployed-STAGE-before`` what it ran before. All other tags stay with their image."""

LIFECYCLE = {
    "rules": [
        {
            # An image that fits the tags of a rule is expired by none of lower priority, and this
            # rule itself expires nothing: a stage has two such tags (Amazon ECR User Guide,
            # "Automate the cleanup of images by using lifecycle policies").
            "rulePriority": 1,
            "description": "what a stage runs, and what it ran before, stays",
            "selection": {
                "tagStatus": "tagged",
                "tagPrefixList": [DEPLOYED],
                "countType": "imageCountMoreThan",
                "countNumber": 1000,
            },
            "action": {"type": "expire"},
        },
        {
            "rulePriority": 2,
            "description": f"of all others the last {KEPT_IMAGES} stay",
            "selection": {
                "tagStatus": "any",
                "countType": "imageCountMoreThan",
                "countNumber": KEPT_IMAGES,
            },
            "action": {"type": "expire"},
        },
    ]
}
_TAGS = {
    "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
    "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": f"{DEPLOYED}*"}],
}
_SCAN = {"imageScanningConfiguration": {"scanOnPush": True}}


@dataclass(frozen=True, slots=True)
class Repository:
    """The repository of the account; ``ecr`` is its client."""

    ecr: Any

    def ensured(self) -> str:
        """Return the repository's URI; make it, or give it its settings, as they stand here."""
        named = {"repositoryName": REPOSITORY}
        with asked("preparing the repository (ecr)"):
            try:
                found = self.ecr.describe_repositories(repositoryNames=[REPOSITORY])
                (described,) = found["repositories"]
                self.ecr.put_image_tag_mutability(**named, **_TAGS)
                self.ecr.put_image_scanning_configuration(**named, **_SCAN)
            except self.ecr.exceptions.RepositoryNotFoundException:
                described = self.ecr.create_repository(**named, **_TAGS, **_SCAN)["repository"]
            self.ecr.put_lifecycle_policy(**named, lifecyclePolicyText=json.dumps(LIFECYCLE))
        return str(described["repositoryUri"])

    def digest(self, **identifier: str) -> str | None:
        """Return the digest of the image of this ``imageTag`` or ``imageDigest``; None without."""
        image = self._image(identifier)
        return None if image is None else str(image["imageDigest"])

    def check_architecture(self, digest: str, architecture: str) -> None:
        """Check that an image is there and for the architecture, as far as its tags tell.

        Where the two differ a function can be deployed, and no instance of it starts.

        Raises:
            LocalSystemError: there is no such image, or it is for another architecture.
        """
        image = self._image({"imageDigest": digest})
        if image is None:
            raise LocalSystemError(f"the repository {REPOSITORY} has no image {digest}")
        built_for = {tag.rpartition("-")[2] for tag in image.get("imageTags", [])} & {*PLATFORMS}
        if built_for and architecture not in built_for:
            other = built_for.pop()
            raise LocalSystemError(f"the image {digest} is for {other}: add --architecture {other}")

    def keep_deployed(self, stage: str, digest: str) -> None:
        """Move a stage's tags: to what it runs now, and to what it ran before."""
        tag = f"{DEPLOYED}{stage}"
        before = self.digest(imageTag=tag)
        if before == digest:
            return
        if before is not None:
            self._tag(before, f"{tag}-before")
        self._tag(digest, tag)

    def log_in(self, root: Path) -> None:
        """Let docker push to the registry, for the hours that AWS gives."""
        with asked("asking for a password of the registry (ecr)"):
            (given,) = self.ecr.get_authorization_token()["authorizationData"]
        user, _, password = base64.b64decode(given["authorizationToken"]).decode().partition(":")
        commands.run(log_in_command(user, given["proxyEndpoint"]), root, given=password)

    def _image(self, identifier: Mapping[str, str]) -> Any:
        with asked("looking for the image (ecr)"):
            try:
                found = self.ecr.describe_images(repositoryName=REPOSITORY, imageIds=[identifier])
            except self.ecr.exceptions.ImageNotFoundException:
                return None
        return found["imageDetails"][0]

    def _tag(self, digest: str, tag: str) -> None:
        with asked(f"tagging the image {tag} (ecr)"):
            found = self.ecr.batch_get_image(
                repositoryName=REPOSITORY, imageIds=[{"imageDigest": digest}]
            )["images"]
            if not found:
                raise LocalSystemError(f"the repository {REPOSITORY} has no image {digest}")
            try:
                self.ecr.put_image(
                    repositoryName=REPOSITORY,
                    imageManifest=found[0]["imageManifest"],
                    imageManifestMediaType=found[0]["imageManifestMediaType"],
                    imageTag=tag,
                )
            except self.ecr.exceptions.ImageAlreadyExistsException:
                return
