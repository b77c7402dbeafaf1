"""The live system beside a small model of it: whatever is asked, both answer the same."""

import time

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from local_system.system import LocalSystem
from tests.model.doors import open_doors
from tests.model.machine import Machine
from tests.plans import printed_seed

pytestmark = pytest.mark.system

SHORT_SECONDS = 6.0
ROUND = settings(
    max_examples=25,
    stateful_step_count=40,
    deadline=None,
    # What was found once lies in no folder of the machine: the seed has it again.
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


def test_every_answer_is_that_of_the_model(system: LocalSystem, long_seconds: float) -> None:
    seed = printed_seed()
    end = time.monotonic() + max(SHORT_SECONDS, long_seconds)
    with open_doors(system) as opened:

        class OnThisSystem(Machine):
            doors = opened

        while time.monotonic() < end:
            print(f"to have this round again first: TEST_SEED={seed}")
            run_state_machine_as_test(hypothesis.seed(seed)(OnThisSystem), settings=ROUND)
            seed = (seed + 1) % 2**32
