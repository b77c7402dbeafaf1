"""How often one caller may call the gateway."""

import itertools

import pytest
import throttled.utils

from gateway.rate_limit import RateLimit
from service_kit.metrics import Metrics
from service_kit.problems import RateLimited
from service_kit.settings import JwtSettings
from service_kit.tokens import Authenticator, OperatorTokens, ServiceTokens
from tests.apis import JWT_AUDIENCE, JWT_ISSUER, JWT_SECRET, SERVICE_TOKEN, token
from tests.standing_clock import Clock

HOME = "192.0.2.1"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The limiter's."""
    clock = Clock()
    monkeypatch.setattr(throttled.utils, "now_mono_f", lambda: clock.seconds)
    return clock


def a_limit(calls_a_second: int | None, *, most_callers: int = 100) -> RateLimit:
    authenticator = Authenticator(
        OperatorTokens(JwtSettings((JWT_SECRET,), JWT_ISSUER, JWT_AUDIENCE)),
        ServiceTokens([SERVICE_TOKEN]),
    )
    return RateLimit(calls_a_second, authenticator, Metrics(), most_callers)


def bearer(subject: str) -> str:
    return f"Bearer {token(sub=subject)}"


def admitted(limit: RateLimit, authorization: str | None, address: str = HOME) -> int:
    """Return how many calls are let in until one is refused (1000 at the most)."""
    for number in itertools.count():
        try:
            limit.admit(authorization, address)
        except RateLimited:
            return number
        if number == 1000:
            return number
    raise AssertionError


@pytest.mark.usefixtures("clock")
def test_a_caller_may_save_up_two_seconds_of_calls() -> None:
    assert admitted(a_limit(4), bearer("anna")) == 8


def test_a_call_comes_back_with_time_and_no_sooner(clock: Clock) -> None:
    limit = a_limit(4)
    admitted(limit, bearer("anna"))

    clock.seconds += 0.24
    assert admitted(limit, bearer("anna")) == 0
    clock.seconds += 0.02
    assert admitted(limit, bearer("anna")) == 1
    clock.seconds += 3600
    assert admitted(limit, bearer("anna")) == 8


def test_a_refusal_says_when_to_come_again(clock: Clock) -> None:
    limit = a_limit(1)
    admitted(limit, bearer("anna"))

    with pytest.raises(RateLimited) as caught:
        limit.admit(bearer("anna"), HOME)

    clock.seconds += int(caught.value.headers["Retry-After"])
    assert limit.admit(bearer("anna"), HOME)


@pytest.mark.usefixtures("clock")
def test_callers_are_counted_apart_by_the_subjects_of_their_tokens() -> None:
    limit = a_limit(4)
    admitted(limit, bearer("anna"))

    assert admitted(limit, bearer("anna"), "192.0.2.77") == 0
    assert admitted(limit, bearer("bert")) == 8


@pytest.mark.usefixtures("clock")
def test_without_a_good_token_the_address_is_the_caller() -> None:
    limit = a_limit(4)
    forged = f"Bearer {token(sub='anna', secret='another-secret-of-more-than-32-bytes')}"
    guesses = itertools.cycle([None, "Bearer nonsense", forged])

    for _ in range(8):
        limit.admit(next(guesses), HOME)

    assert admitted(limit, None) == 0
    assert admitted(limit, None, "192.0.2.2") == 8
    assert admitted(limit, bearer("anna")) == 8, "a forged token took of her calls"


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("one", "other", "is_one_caller"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
    ],
)
def test_an_ipv6_caller_is_its_network(one: str, other: str, is_one_caller: bool) -> None:
    limit = a_limit(4)
    admitted(limit, None, one)

    assert admitted(limit, None, other) == (0 if is_one_caller else 8)


@pytest.mark.usefixtures("clock")
def test_services_are_not_counted() -> None:
    assert admitted(a_limit(1), f"Bearer {SERVICE_TOKEN}") == 1000


@pytest.mark.usefixtures("clock")
def test_off_counts_nobody() -> None:
    assert admitted(a_limit(None), None) == 1000


@pytest.mark.usefixtures("clock")
def test_no_more_than_so_many_callers_are_remembered() -> None:
    limit = a_limit(1, most_callers=3)
    names = [bearer(name) for name in ("anna", "bert", "carl", "dora")]
    for name in names:
        admitted(limit, name)

    assert admitted(limit, names[-1]) == 0
    assert admitted(limit, names[0]) == 2, "whoever has not called for longest is forgotten"
