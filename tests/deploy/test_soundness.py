"""Settings with which the function could not work are refused before anything is deployed."""

from dataclasses import replace

import pytest

from deployment.prerequisites import check_stage
from deployment.soundness import check
from local_system.failures import LocalSystemError
from local_system.progress import Silence
from orchestrator_image.settings import load
from service_kit.settings import SettingsError
from tests.deploy.targets import SECRETS, SETTINGS, target

pytestmark = pytest.mark.deploy

REFUSED_BY_THE_FUNCTION = [
    ("CUSTOMERS_API_BASE", "customers.example"),
    ("CUSTOMERS_API_BASE", "ftp://customers.example"),
    ("ORDERS_API_BASE", "https://orders.example/?page=1"),
    ("ORDERS_API_BASE", "https://:3002"),
    ("JWT_ISSUER", "   "),
    ("JWT_AUDIENCE", ""),
]


@pytest.mark.parametrize(("name", "value"), REFUSED_BY_THE_FUNCTION)
def test_what_the_function_would_refuse_is_refused_here(name: str, value: str) -> None:
    settings = {**SETTINGS, name: value}

    with pytest.raises(LocalSystemError, match=name):
        check(settings)
    with pytest.raises(SettingsError, match=name):
        load({**settings, **SECRETS})


@pytest.mark.parametrize(
    "value", ["https://issuer.example/a?b#c", "é, \"quoted\" and 'so'", "$HOME costs 5$", "{a}"]
)
def test_what_the_function_takes_is_taken_here(value: str) -> None:
    settings = {**SETTINGS, "JWT_ISSUER": value, "ORDERS_API_BASE": "http://192.0.2.7:1/base/"}

    check(settings)

    assert load({**settings, **SECRETS}).jwt.issuer == value


@pytest.mark.parametrize(
    "value", ["${env:HOME}", "a${self:service}", "{{resolve:secretsmanager:x}}"]
)
def test_what_osls_or_cloudformation_would_fill_in_is_refused(value: str) -> None:
    with pytest.raises(LocalSystemError, match="JWT_ISSUER must not contain"):
        check({**SETTINGS, "JWT_ISSUER": value})


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(LocalSystemError) as refused:
        check({**SETTINGS, "CUSTOMERS_API_BASE": "nowhere", "JWT_ISSUER": "${x}"})

    assert "CUSTOMERS_API_BASE must be an http or https URL" in str(refused.value)
    assert "JWT_ISSUER must not contain" in str(refused.value)


def test_what_the_parameter_store_has_is_checked_too() -> None:
    class Stored:
        def settings(self) -> dict[str, str]:
            return {**SETTINGS, "ORDERS_API_BASE": "orders.example"}

    with pytest.raises(LocalSystemError, match="ORDERS_API_BASE must be an http or https URL"):
        check_stage(Stored(), replace(target("dev"), settings={}), Silence())  # type: ignore[arg-type]
