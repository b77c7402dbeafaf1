"""The correlation id: one name for all that a request causes, in every service and log line."""

import re
import uuid
from contextvars import ContextVar

HEADER = "X-Correlation-Id"
PATTERN = r"^[A-Za-z0-9._:-]{1,128}$"

_well_formed = re.compile(r"[A-Za-z0-9._:-]{1,128}")

current: ContextVar[str] = ContextVar("correlation_id", default="")
"""The id of the request that the running task serves; empty outside of one."""


def new() -> str:
    """Return a fresh id (a random UUID, 36 characters)."""
    return str(uuid.uuid4())


def is_well_formed(value: object) -> bool:
    """Tell whether a value may serve as an id: 1 to 128 characters of ``[A-Za-z0-9._:-]``."""
    return isinstance(value, str) and _well_formed.fullmatch(value) is not None


def adopt(value: str | None) -> str:
    """Return the caller's id if it is well formed, otherwise a new one."""
    if value is not None and _well_formed.fullmatch(value):
        return value
    return new()
