import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_kit.retrying import Backoff

BACKOFF = Backoff(base_seconds=0.1, cap_seconds=1.0, attempts=6)


@given(st.integers(1, 100))
def test_a_delay_lies_between_nothing_and_a_bound_that_doubles_up_to_a_cap(attempt: int) -> None:
    assert 0 <= BACKOFF.delay(attempt) <= min(1.0, 0.1 * 2 ** (attempt - 1))


def test_the_whole_of_the_bound_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service_kit.retrying.random.uniform", lambda _lowest, highest: highest)

    delays = [BACKOFF.delay(attempt) for attempt in range(1, 7)]

    assert delays == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.0, 1.0])


def test_delays_are_spread_from_one_caller_to_the_next() -> None:
    assert len({BACKOFF.delay(6) for _ in range(20)}) == 20


def test_as_many_attempts_are_allowed_as_the_policy_has() -> None:
    assert [BACKOFF.allows(attempt) for attempt in (1, 5, 6, 7)] == [True, True, False, False]
