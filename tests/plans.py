"""Random plans that can be had again."""

import os
import random


def printed_seed() -> int:
    """Return a seed; it is printed, and taken from TEST_SEED if that is set."""
    seed = int(os.environ.get("TEST_SEED", random.randrange(2**32)))
    print(f"TEST_SEED={seed}")
    return seed


def random_plan() -> random.Random:
    """Return a source of chance with such a seed."""
    return random.Random(printed_seed())
