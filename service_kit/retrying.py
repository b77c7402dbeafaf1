"""The one retry policy: exponential backoff with full jitter.

Source: M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015.
"""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits between attempts, in seconds: a random part of a bound that doubles up to a cap."""

    base_seconds: float
    cap_seconds: float
    attempts: int

    def delay(self, attempt: int) -> float:
        """Return the wait after an attempt, counted from 1."""
        bound = min(self.cap_seconds, self.base_seconds * 2.0 ** (attempt - 1))
        return random.uniform(0, bound)  # noqa: S311  # spreads load, keeps no secret

    def allows(self, attempt: int) -> bool:
        """Tell whether another attempt may follow this one, counted from 1."""
        return attempt < self.attempts
