"""Versions of a resource as entity tags (RFC 9110, section 8.8.3).

A tag is made of a counter of changes: a time of change would collide within its resolution.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from service_kit.problems import PreconditionFailed


def etag(version: int) -> str:
    """Return the strong entity tag of a version."""
    return f'"{version}"'


def of_content(content: bytes) -> str:
    """Return the strong entity tag of a representation that has no counter."""
    return f'"{hashlib.sha256(content).hexdigest()[:16]}"'


@dataclass(frozen=True, slots=True)
class Precondition:
    """The tags of ``If-Match`` and of ``If-None-Match``, None where the field is not sent.

    Source: RFC 9110, sections 13.1.1 and 13.1.2.
    """

    if_match: Sequence[str] | None = None
    if_none_match: Sequence[str] | None = None

    @classmethod
    def of(cls, if_match: str | None, if_none_match: str | None) -> "Precondition":
        """Read the fields' values."""
        return cls(_tags(if_match), _tags(if_none_match))

    def check(self, current: str) -> None:
        """Hold a resource that is there, with its present tag, against the condition of a write.

        Raises:
            PreconditionFailed: it is not met.
        """
        # A weak tag never matches here: the comparison is a strong one.
        if self.if_match is not None and not {"*", current} & set(self.if_match):
            raise PreconditionFailed
        without_weakness = {tag.removeprefix("W/") for tag in self.if_none_match or ()}
        if {"*", current} & without_weakness:
            raise PreconditionFailed


def _tags(field: str | None) -> Sequence[str] | None:
    return None if field is None else [tag.strip() for tag in field.split(",")]
