"""The main job once more: the same tests, against the composed system."""

import pytest

from tests.system.test_main_job import *  # noqa: F403  # all of its tests

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]
