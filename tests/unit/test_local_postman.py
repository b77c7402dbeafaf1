"""scripts/postman: the environment that it writes."""

import json
from pathlib import Path

import jwt
import pytest

from local_system import postman
from local_system.failures import LocalSystemError

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {
    "JWT_SECRET": "a-secret-of-this-test-with-32-bytes-or-more",
    "JWT_ISSUER": "issuer",
    "JWT_AUDIENCE": "audience",
    "SERVICE_TOKEN": "a-service-token-of-this-test,the-one-before-it",
}
PORTS = {
    "GATEWAY_PORT": "4000",
    "CUSTOMERS_PORT": "4001",
    "ORDERS_PORT": "4002",
    "RIE_PORT": "4003",
}


@pytest.fixture
def values(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for variable, port in PORTS.items():
        monkeypatch.setenv(variable, port)
    return postman.running_values(SETTINGS, lifetime_seconds=60)


def role_in(token: str) -> str:
    return str(jwt.decode(token, SETTINGS["JWT_SECRET"], ["HS256"], audience="audience")["role"])


def test_addresses_are_those_of_the_running_system(values: dict[str, str]) -> None:
    assert values["gateway_url"] == "http://127.0.0.1:4000"
    assert values["customers_url"] == "http://127.0.0.1:4001"
    assert values["orders_url"] == "http://127.0.0.1:4002"
    assert values["emulator_url"] == "http://127.0.0.1:4003"


def test_tokens_are_an_operators_a_viewers_and_the_services(values: dict[str, str]) -> None:
    assert role_in(values["token"]) == "operator"
    assert role_in(values["viewer_token"]) == "viewer"
    assert values["service_token"] == "a-service-token-of-this-test"


def test_what_is_written_is_the_committed_environment_filled(values: dict[str, str]) -> None:
    committed = json.loads((ROOT / postman.ENVIRONMENT).read_text("utf-8"))

    filled = postman.environment(ROOT, values)

    assert {entry["key"]: entry["value"] for entry in filled["values"]} == values
    assert [{**entry, "value": ""} for entry in filled["values"]] == [
        {**entry, "value": ""} for entry in committed["values"]
    ]
    assert filled["name"] == committed["name"]


def test_a_variable_that_only_one_of_them_knows_is_named(values: dict[str, str]) -> None:
    del values["token"]

    with pytest.raises(LocalSystemError, match="token"):
        postman.environment(ROOT, values)


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(postman, "RUN_DIR", tmp_path)
    for variable, value in {**SETTINGS, **PORTS}.items():
        monkeypatch.setenv(variable, value)
    return tmp_path


def test_the_file_is_for_its_owner_alone_and_its_path_is_printed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["postman"])

    assert postman.main() == 0

    written = folder / "postman" / "local.postman_environment.json"
    assert capsys.readouterr().out == f"{written}\n"
    assert written.stat().st_mode & 0o777 == 0o600
    assert json.loads(written.read_text("utf-8"))["name"] == "Back office (local)"


def test_newmans_options_are_refused_where_it_is_not_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["postman", "--folder", "1. Customer"])

    with pytest.raises(SystemExit):
        postman.main()

    assert list(folder.iterdir()) == []
