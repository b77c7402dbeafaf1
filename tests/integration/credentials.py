"""Every credential that lets nobody in."""

import time
from collections.abc import Callable

import pytest

from tests.apis import JWT_SECRET, SERVICE_TOKEN, token

OTHER_SECRET = "another-secret-of-the-tests-with-32-bytes-or-more"


def now() -> int:
    return int(time.time())


# Made when they are used: some of them are a matter of a second.
BAD_CREDENTIALS: dict[str, Callable[[], str | None]] = {
    "none": lambda: None,
    "garbage": lambda: "garbage",
    "three parts of garbage": lambda: "a.b.c",
    "nested too deep": lambda: "W1tb" * 6000 + ".e30.x",
    "letters beyond ascii": lambda: "\xe9\xe9.\xe9.\xe9",
    "expired by a second": lambda: token(exp=now() - 1),
    "expires at this very second": lambda: token(exp=now()),
    "without exp": lambda: token(without="exp"),
    "without sub": lambda: token(without="sub"),
    "without iss": lambda: token(without="iss"),
    "without aud": lambda: token(without="aud"),
    "of another issuer": lambda: token(iss="another"),
    "for another audience": lambda: token(aud="another"),
    "of another secret": lambda: token(secret=OTHER_SECRET),
    "HS384 with the right secret": lambda: token(algorithm="HS384"),
    "HS512 with the right secret": lambda: token(algorithm="HS512", secret=JWT_SECRET),
    "without algorithm": lambda: token(algorithm="none"),
    "not valid yet": lambda: token(nbf=now() + 60),
    "a beginning of the service token": lambda: SERVICE_TOKEN[:-1],
    "the service token and more": lambda: SERVICE_TOKEN + "x",
}

SHORT_FOR_HS512 = pytest.mark.filterwarnings(
    "ignore:The HMAC key is:jwt.warnings.InsecureKeyLengthWarning"
)
