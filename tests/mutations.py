"""Bytes that are almost right, and bytes that are not: made by chance from sound examples."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import pytest

SHORT_SECONDS = 4.0
LONG_SECONDS = 60.0

_LONGEST_NOISE = 400
_FEW = 0.8
"""Most examples are changed once or twice, so that some get far."""


@dataclass(frozen=True, slots=True)
class Mutations:
    """Changes examples by chance; ``words`` are pieces that readers of them may stumble over."""

    plan: Random
    examples: Sequence[bytes]
    words: Sequence[bytes]

    def one(self) -> bytes:
        """Return an example with some changes; one in ten is nothing but noise."""
        if self.plan.random() < 0.1:
            return self.plan.randbytes(self.plan.randrange(1, _LONGEST_NOISE))
        data = bytearray(self.plan.choice(self.examples))
        for _ in range(1 + int(self.plan.expovariate(_FEW))):
            self._change(data)
        return bytes(data)

    def until(self, end: float) -> Iterator[bytes]:
        """Return one after the other until a moment by ``time.monotonic()``."""
        while time.monotonic() < end:
            yield self.one()

    def _change(self, data: bytearray) -> None:
        start = self.plan.randrange(len(data) + 1)
        length = min(int(self.plan.expovariate(0.2)), len(data) - start)
        piece = data[start : start + length]
        match self.plan.randrange(7):
            case 0:
                data[start:start] = self.plan.choice(self.words)
            case 1:
                data[start : start + length] = self.plan.choice(self.words)
            case 2:
                del data[start : start + length]
            case 3:
                data[start:start] = piece * self.plan.randint(1, 50)
            case 4:
                data[start : start + length] = self.plan.randbytes(length)
            case 5:
                other = self.plan.choice(self.examples)
                data[start:] = other[self.plan.randrange(len(other)) :]
            case _:
                if start < len(data):
                    data[start] ^= 1 << self.plan.randrange(8)


def seconds_of(config: pytest.Config) -> float:
    """Return how long one of these tests goes on: seconds, or a minute of a long run."""
    return LONG_SECONDS if config.getoption("--long") else SHORT_SECONDS
