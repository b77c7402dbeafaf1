import base64
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from service_kit.problems import Forbidden, Unauthorized
from service_kit.settings import JwtSettings
from service_kit.tokens import Authenticator, Caller, OperatorTokens, Role, ServiceTokens

SECRET = "the-first-secret-of-thirty-two-bytes"
OLD_SECRET = "the-old-secret-with-thirty-two-bytes"
SETTINGS = JwtSettings((SECRET, OLD_SECRET), "issuer", "audience")
OPERATORS = OperatorTokens(SETTINGS)
AUTHENTICATOR = Authenticator(OPERATORS, ServiceTokens(["first-token", "second-token"]))


def a_token(without: str = "", secret: str = SECRET, **changes: Any) -> str:
    claims = {
        "sub": "ana",
        "iss": "issuer",
        "aud": "audience",
        "exp": int(time.time()) + 60,
        "role": "operator",
        **changes,
    }
    claims.pop(without, None)
    # Written by hand, so that claims of a wrong type get in.
    return jwt.api_jws.encode(json.dumps(claims).encode(), secret, algorithm="HS256")


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.VIEWER])
def test_a_token_that_was_issued_names_its_caller(role: Role) -> None:
    issued = OPERATORS.issue("ana", role, lifetime_seconds=60)

    assert OPERATORS.verify(issued) == Caller("ana", role)


def test_the_first_secret_signs_and_all_verify() -> None:
    issued = OPERATORS.issue("ana", Role.OPERATOR, lifetime_seconds=60)

    assert jwt.decode(issued, SECRET, algorithms=["HS256"], audience="audience")["sub"] == "ana"
    assert OPERATORS.verify(a_token(secret=OLD_SECRET)) == Caller("ana", Role.OPERATOR)
    with pytest.raises(Unauthorized):
        OPERATORS.verify(a_token(secret="a-secret-that-nobody-has-ever-heard-of"))


@pytest.mark.parametrize("expires", [2_000_000_000, 2_000_000_000.5])
def test_a_token_ends_at_the_very_moment_that_it_says(
    monkeypatch: pytest.MonkeyPatch, expires: float
) -> None:
    token = a_token(exp=expires)

    monkeypatch.setattr("service_kit.tokens.time.time", lambda: expires - 0.001)
    assert OPERATORS.verify(token).subject == "ana"
    monkeypatch.setattr("service_kit.tokens.time.time", lambda: expires)
    with pytest.raises(Unauthorized):
        OPERATORS.verify(token)


@pytest.mark.parametrize("claim", ["exp", "sub", "iss", "aud"])
def test_a_token_without_a_required_claim_is_refused(claim: str) -> None:
    with pytest.raises(Unauthorized):
        OPERATORS.verify(a_token(without=claim))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "another"},
        {"iss": ["issuer"]},
        {"iss": None},
        {"aud": "another"},
        {"aud": ["another"]},
        {"aud": []},
        {"aud": [1]},
        {"aud": None},
        {"sub": 1},
        {"sub": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": None},
        {"exp": []},
        {"exp": -1},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"nbf": 4_000_000_000},
        {"nbf": "later"},
    ],
    ids=str,
)
def test_a_token_with_a_claim_that_is_another_or_none_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Unauthorized):
        OPERATORS.verify(a_token(**changes))


def test_one_audience_among_several_is_enough() -> None:
    assert OPERATORS.verify(a_token(aud=["another", "audience"])).subject == "ana"


def test_a_clock_that_is_ahead_where_tokens_are_made_locks_nobody_out() -> None:
    assert OPERATORS.verify(a_token(iat=int(time.time()) + 5)).subject == "ana"


@pytest.mark.parametrize(
    "role", [None, "", "admin", "Operator", "service", 1, True, ["operator"], {"operator": True}]
)
def test_a_sound_token_without_a_role_of_ours_is_forbidden(role: Any) -> None:
    with pytest.raises(Forbidden):
        OPERATORS.verify(a_token(role=role))


def test_a_sound_token_without_any_role_is_forbidden() -> None:
    with pytest.raises(Forbidden):
        OPERATORS.verify(a_token(without="role"))


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_algorithm_with_the_right_secret_is_refused(algorithm: str) -> None:
    key = "the-first-secret-is-long-enough-for-any-algorithm-of-this-family-of-three"
    claims = {"sub": "ana", "iss": "issuer", "aud": "audience", "exp": int(time.time()) + 60}
    operators = OperatorTokens(JwtSettings((key,), "issuer", "audience"))

    assert_refused(operators.verify, jwt.encode({**claims, "role": "operator"}, key, algorithm))


def assert_refused(verify: Callable[[str], Caller], token: str) -> None:
    with pytest.raises(Unauthorized):
        verify(token)


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "garbage",
        "é.é.é",
        "\ud800.a.b",
        "." * 1000,
        f"{part({'alg': 'none', 'typ': 'JWT'})}.{part({'sub': 'ana', 'role': 'operator'})}.",
        f"{part({'alg': 'HS256'})}.{part({})}.",
        f"{part({'alg': ['HS256']})}.{part({})}.x",
        f"{part({'alg': None})}.{part({})}.x",
        f"{part([])}.{part({})}.x",
        f"{part({'alg': 'HS256', 'kid': 1})}.{part({})}.x",
        base64.urlsafe_b64encode(b"[" * 20_000).decode() + ".e30.x",
        base64.urlsafe_b64encode(b'{"alg":' + b"9" * 5000 + b"}").decode() + ".e30.x",
        jwt.api_jws.encode(b"[" * 10_000, SECRET),
        jwt.api_jws.encode(b"[1]", SECRET),
        jwt.api_jws.encode(b"\xff", SECRET),
        jwt.api_jws.encode(b"", SECRET),
    ],
    ids=lambda token: ascii(token[:25]),
)
def test_what_is_no_token_is_refused(token: str) -> None:
    assert_refused(OPERATORS.verify, token)


def test_a_signature_is_checked_before_the_claims_are_read() -> None:
    header, _, signature = a_token().split(".")
    forged = f"{header}.{part({'sub': 'eve', 'role': 'operator'})}.{signature}"

    assert_refused(OPERATORS.verify, forged)


@pytest.mark.parametrize("token", ["first-token", "second-token"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_every_service_token_is_accepted(scheme: str, token: str) -> None:
    assert AUTHENTICATOR.identify(f"{scheme} {token}") == Caller("service", Role.SERVICE)


def test_an_operators_token_is_accepted() -> None:
    assert AUTHENTICATOR.identify(f"Bearer  {a_token()} ") == Caller("ana", Role.OPERATOR)


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "first-token",
        "Basic first-token",
        "Token first-token",
        "Bearer,first-token",
        "Bearer first-token,second-token",
        "Bearer first-tokenx",
        "Bearer first-toke",
        "Bearer FIRST-TOKEN",
        "Bearer first-token first-token",
        "Bearer \ud800",
        "Bearer first-tok\xe9n",
    ],
)
def test_anything_else_is_refused_and_says_which_scheme_is_asked_for(
    authorization: str | None,
) -> None:
    with pytest.raises(Unauthorized) as refusal:
        AUTHENTICATOR.identify(authorization)

    assert refusal.value.headers["WWW-Authenticate"] == "Bearer"


def test_the_first_service_token_is_sent() -> None:
    assert ServiceTokens(["first-token", "second-token"]).authorization == "Bearer first-token"


def test_service_tokens_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []

    def compare_digest(candidate: bytes, own: bytes) -> bool:
        compared.append(own)
        return candidate == own

    monkeypatch.setattr("service_kit.tokens.hmac.compare_digest", compare_digest)

    assert ServiceTokens(["one", "two", "three"]).accepts("one")
    assert compared == [b"one", b"two", b"three"]


def test_a_signature_is_computed_once_for_each_token(monkeypatch: pytest.MonkeyPatch) -> None:
    operators = OperatorTokens(SETTINGS)
    tokens = [a_token(sub="ana"), a_token(sub="eva")]
    assert [operators.verify(token).subject for token in tokens] == ["ana", "eva"]

    monkeypatch.delattr("service_kit.tokens.jwt.decode")

    assert [operators.verify(token).subject for token in tokens] == ["ana", "eva"]


def test_a_token_like_a_known_one_is_still_a_stranger() -> None:
    operators = OperatorTokens(SETTINGS)
    token = a_token()
    operators.verify(token)

    with pytest.raises(Unauthorized):
        operators.verify(token[:-4] + "AAAA")


def test_no_more_than_a_bounded_number_of_tokens_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service_kit.tokens.MOST_KNOWN", 3)
    operators = OperatorTokens(SETTINGS)

    for number in range(10):
        assert operators.verify(a_token(sub=str(number))).subject == str(number)
        assert len(operators._known) <= 3
