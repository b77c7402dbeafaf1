"""scripts/token: what it signs is what the services take."""

import json
from pathlib import Path

import jwt
import pytest

from local_system import environment, token
from local_system.failures import LocalSystemError
from service_kit.settings import JwtSettings
from service_kit.tokens import OperatorTokens, Role

FIRST = "first-first-first-first-first-first"
SECOND = "second-second-second-second-second"
VARIABLES = {
    "JWT_SECRET": f"{FIRST},{SECOND}",
    "JWT_ISSUER": "issuer",
    "JWT_AUDIENCE": "audience",
    "SERVICE_TOKEN": "sent,also-accepted",
}
VERIFIER = OperatorTokens(JwtSettings((FIRST,), "issuer", "audience"))


def test_the_token_is_one_that_services_take() -> None:
    caller = VERIFIER.verify(token.operator_token(VARIABLES, Role.VIEWER, "ann", 60))

    assert (caller.subject, caller.role) == ("ann", Role.VIEWER)


def test_it_is_good_for_as_long_as_asked() -> None:
    signed = token.operator_token(VARIABLES, Role.OPERATOR, "ann", 60)

    claims = jwt.decode(signed, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 60
    assert claims.keys() == {"sub", "role", "iss", "aud", "iat", "exp"}


def test_the_services_token_is_the_one_that_is_sent() -> None:
    assert token.service_token(VARIABLES) == "sent"


@pytest.mark.parametrize("missing", ["JWT_SECRET", "JWT_ISSUER", "JWT_AUDIENCE"])
def test_what_is_missing_is_named_with_the_place_where_it_belongs(missing: str) -> None:
    variables = {name: value for name, value in VARIABLES.items() if name != missing}

    with pytest.raises(LocalSystemError, match=rf"{missing}.*customers_api/\.env"):
        token.operator_token(variables, Role.OPERATOR, "ann", 60)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(token, "ROOT", tmp_path)
    monkeypatch.setattr(token, "RUN_DIR", tmp_path / ".run")
    file = environment.env_file(tmp_path, "customers_api")
    file.parent.mkdir()
    file.write_text(f"JWT_SECRET={FIRST}\nJWT_ISSUER=of-the-file\n")
    return tmp_path


@pytest.mark.usefixtures("clone")
def test_the_environment_wins_over_the_services_file() -> None:
    known = token.variables({"JWT_SECRET": SECOND})

    assert (known["JWT_SECRET"], known["JWT_ISSUER"]) == (SECOND, "of-the-file")


def test_what_a_system_was_started_with_before_it_was_stopped_does_not_count(clone: Path) -> None:
    old = clone / ".run" / "programs" / "customers.json"
    old.parent.mkdir(parents=True)
    old.write_text(json.dumps({"environment": {"JWT_SECRET": SECOND}}))

    assert token.variables({})["JWT_SECRET"] == FIRST
