"""What the gateway reads from its environment."""

import pytest

from gateway.settings import load
from service_kit.settings import SettingsError

VARIABLES = {
    "JWT_SECRET": "s" * 32,
    "JWT_ISSUER": "i",
    "JWT_AUDIENCE": "a",
    "CUSTOMERS_API_BASE": "http://customers:3001",
    "ORDERS_API_BASE": "http://orders:3002/",
    "LAMBDA_ENDPOINTS": "http://one:8080,http://two:8080",
    "SERVICE_TOKEN": "the-token",
}


def test_defaults_fill_in_what_is_not_said() -> None:
    settings = load(VARIABLES)

    assert settings.serving.port == 3000
    assert settings.lambda_timeout_seconds == 20
    assert settings.rate_limit == 1000
    assert settings.orders_api_base == "http://orders:3002"
    assert settings.lambda_endpoints == ("http://one:8080", "http://two:8080")


def test_an_emulator_that_is_named_twice_is_one_place() -> None:
    endpoints = "http://one:8080, http://one:8080/,http://two:8080"

    settings = load({**VARIABLES, "LAMBDA_ENDPOINTS": endpoints})

    assert settings.lambda_endpoints == ("http://one:8080", "http://two:8080")


def test_all_mistakes_are_told_together() -> None:
    wrong = {
        **VARIABLES,
        "JWT_SECRET": "short",
        "GATEWAY_PORT": "0",
        "CUSTOMERS_API_BASE": "customers",
        "LAMBDA_ENDPOINTS": "http://one:8080,,",
        "LAMBDA_TIMEOUT_SECONDS": "0",
        "RATE_LIMIT": "unlimited",
    }

    with pytest.raises(SettingsError) as caught:
        load(wrong)

    named = {mistake.split(" ")[0] for mistake in caught.value.mistakes}
    assert named == set(wrong) - {
        "JWT_ISSUER",
        "JWT_AUDIENCE",
        "ORDERS_API_BASE",
        "SERVICE_TOKEN",
    }


def test_the_rate_limit_can_be_off() -> None:
    assert load({**VARIABLES, "RATE_LIMIT": "off"}).rate_limit is None


@pytest.mark.parametrize("name", VARIABLES)
def test_what_has_no_default_is_required(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is required"):
        load({**VARIABLES, name: ""})


def test_no_secret_shows_when_settings_are_printed() -> None:
    shown = repr(load(VARIABLES))

    assert "s" * 32 not in shown
    assert "the-token" not in shown
