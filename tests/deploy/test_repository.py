"""The repository of images: which tags move, which images stay."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from deployment.repository import KEPT_IMAGES, LIFECYCLE, Repository
from deployment.target import REPOSITORY, STAGES
from local_system.failures import LocalSystemError
from tests.deploy.aws_on_loopback import OCI_MANIFEST
from tests.deploy.lifecycle import expired
from tests.deploy.targets import REGION

pytestmark = pytest.mark.deploy

BEYOND = KEPT_IMAGES + 30


@pytest.fixture
def ecr(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        yield boto3.client("ecr", region_name=REGION)


@pytest.fixture
def repository(ecr: Any) -> Repository:
    repository = Repository(ecr)
    repository.ensured()
    return repository


def manifest(content: str) -> str:
    # moto makes an image's digest of those of its layers.
    layer = {"digest": f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"}
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": [layer]})


def push(ecr: Any, tag: str) -> str:
    """Push an image like no other; return its digest."""
    put = ecr.put_image(
        repositoryName=REPOSITORY,
        imageManifest=manifest(tag),
        imageManifestMediaType=OCI_MANIFEST,
        imageTag=tag,
    )
    return str(put["image"]["imageId"]["imageDigest"])


def images(ecr: Any) -> list[dict[str, Any]]:
    """Return digest and tags of each image, in the order in which they were pushed."""
    pages = ecr.get_paginator("describe_images").paginate(repositoryName=REPOSITORY)
    return [
        {"digest": image["imageDigest"], "tags": image.get("imageTags", [])}
        for page in pages
        for image in page["imageDetails"]
    ]


def test_what_a_stage_runs_and_ran_before_never_expires(ecr: Any, repository: Repository) -> None:
    digests = [push(ecr, f"1.0-{number}") for number in range(BEYOND)]
    for stage, first, second in (("prod", 0, 7), ("dev", 3, BEYOND - 1)):
        repository.keep_deployed(stage, digests[first])
        repository.keep_deployed(stage, digests[second])

    gone = expired(LIFECYCLE, images(ecr))

    assert gone.isdisjoint({digests[0], digests[7], digests[3]})
    assert gone == set(digests[:30]) - {digests[0], digests[3], digests[7]}


def test_without_its_tags_a_running_image_would_expire(ecr: Any, repository: Repository) -> None:
    digests = [push(ecr, f"1.0-{number}") for number in range(BEYOND)]

    assert digests[0] in expired(LIFECYCLE, images(ecr))
    assert repository.digest(imageDigest=digests[0])


@pytest.mark.parametrize("stage", STAGES)
def test_a_deployment_moves_the_tags_of_its_stage_alone(
    ecr: Any, repository: Repository, stage: str
) -> None:
    other = next(name for name in STAGES if name != stage)
    first, second, third = (push(ecr, f"1.0-{number}") for number in range(3))
    repository.keep_deployed(other, first)

    for digest in (first, second, third, third):
        repository.keep_deployed(stage, digest)

    assert repository.digest(imageTag=f"deployed-{stage}") == third
    assert repository.digest(imageTag=f"deployed-{stage}-before") == second
    assert repository.digest(imageTag=f"deployed-{other}") == first
    assert repository.digest(imageTag=f"deployed-{other}-before") is None


def test_going_back_changes_the_two_tags_about(ecr: Any, repository: Repository) -> None:
    old, new = push(ecr, "1.0-old"), push(ecr, "1.0-new")

    for digest in (old, new, old):
        repository.keep_deployed("prod", digest)

    assert repository.digest(imageTag="deployed-prod") == old
    assert repository.digest(imageTag="deployed-prod-before") == new
    # No image lost the tag that it was pushed with.
    assert repository.digest(imageTag="1.0-old") == old


def test_the_tag_of_a_commit_stays_with_its_image(ecr: Any, repository: Repository) -> None:
    push(ecr, "1.0-a")

    with pytest.raises(ClientError, match=r"tag '1\.0-a' already exists"):
        ecr.put_image(
            repositoryName=REPOSITORY, imageManifest=manifest("another"), imageTag="1.0-a"
        )


def test_a_repository_that_is_there_gets_the_settings_of_today(ecr: Any) -> None:
    ecr.create_repository(repositoryName=REPOSITORY, imageTagMutability="MUTABLE")

    uri = Repository(ecr).ensured()

    (described,) = ecr.describe_repositories(repositoryNames=[REPOSITORY])["repositories"]
    policy = ecr.get_lifecycle_policy(repositoryName=REPOSITORY)["lifecyclePolicyText"]
    assert described["repositoryUri"] == uri
    assert described["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert described["imageScanningConfiguration"] == {"scanOnPush": True}
    assert json.loads(policy) == LIFECYCLE


def test_an_image_that_is_not_there_cannot_be_marked(repository: Repository) -> None:
    with pytest.raises(LocalSystemError, match="has no image sha256:00"):
        repository.keep_deployed("dev", "sha256:" + "0" * 64)


@pytest.mark.parametrize("tag", ["1.0-c0ffee-arm64", "1.0-dirty-20260101T000000Z-arm64"])
def test_an_image_of_another_architecture_is_refused(
    ecr: Any, repository: Repository, tag: str
) -> None:
    digest = push(ecr, tag)

    with pytest.raises(LocalSystemError, match="is for arm64: add --architecture arm64"):
        repository.check_architecture(digest, "x86_64")
    repository.check_architecture(digest, "arm64")


def test_an_image_whose_tags_name_no_architecture_is_taken_at_its_word(
    ecr: Any, repository: Repository
) -> None:
    digest = push(ecr, "by-hand")
    repository.keep_deployed("dev", digest)

    repository.check_architecture(digest, "arm64")


def test_an_image_that_is_not_there_is_of_no_architecture(repository: Repository) -> None:
    with pytest.raises(LocalSystemError, match="has no image sha256:00"):
        repository.check_architecture("sha256:" + "0" * 64, "x86_64")
