"""What ECR's lifecycle rules do, by AWS's description: moto writes them down and runs none.

Source: Amazon ECR User Guide, "Automate the cleanup of images by using lifecycle policies".
"""

from collections.abc import Mapping, Sequence
from typing import Any


def expired(policy: Any, images: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the digests that a policy of counts expires.

    An image is ``{"digest", "tags"}``; they are in the order in which they were pushed. A rule
    counts all images that fit its tags, also those that another rule expires; an image that fits
    the tags of a rule is expired by none of lower priority.
    """
    gone: set[str] = set()
    claimed: set[str] = set()
    for rule in sorted(policy["rules"], key=lambda rule: int(rule["rulePriority"])):
        selection = rule["selection"]
        assert (selection["countType"], rule["action"]) == (
            "imageCountMoreThan",
            {"type": "expire"},
        )
        fitting = [image["digest"] for image in images if _fits(selection, image["tags"])]
        too_many = fitting[: -selection["countNumber"]]
        gone |= {digest for digest in too_many if digest not in claimed}
        claimed |= set(fitting)
    return gone


def _fits(selection: Any, tags: Sequence[str]) -> bool:
    if selection["tagStatus"] == "any":
        return True
    if selection["tagStatus"] == "untagged":
        return not tags
    return all(any(tag.startswith(p) for tag in tags) for p in selection["tagPrefixList"])
