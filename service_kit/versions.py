"""Versions of a resource as entity tags (RFC 9110, section 8.8.3).

A tag is made of a counter of changes: a time of change would collide within its resolution.
"""

from collections.abc import Sequence

from service_kit.problems import PreconditionFailed


def etag(version: int) -> str:
    """Return the strong entity tag of a version."""
    return f'"{version}"'


def check_precondition(etags: Sequence[str] | None, current: str) -> None:
    """Compare the tags of ``If-Match`` (None: any will do) with the current one.

    Raises:
        PreconditionFailed: none is the current one.
    """
    if etags is not None and current not in etags:
        raise PreconditionFailed
