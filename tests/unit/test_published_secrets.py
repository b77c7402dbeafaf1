"""The secrets of the `.env.example` files: warned of on one machine, refused in production."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import customers_api.settings
import gateway.settings
import orchestrator_image.settings
import orders_api.settings
from db.connection import DatabaseSettings
from local_system import environment
from service_kit import logs
from service_kit.settings import EXAMPLE_MARK, SettingsError

ROOT = Path(__file__).resolve().parents[2]
SECRET_WORDS = ("SECRET", "TOKEN", "PASSWORD")

Load = Callable[[Mapping[str, str]], Any]
LOADERS: dict[str, Load] = {
    "customers_api": customers_api.settings.load,
    "orders_api": orders_api.settings.load,
    "gateway": gateway.settings.load,
    "orchestrator_image": orchestrator_image.settings.load,
    "db": DatabaseSettings.from_environment,
}


def example(folder: str) -> dict[str, str]:
    variables = environment.read(environment.example_file(ROOT, folder))
    # The one address that an example leaves to whoever starts the system.
    return {**variables, "MYSQL_HOST": "db"} if folder == "db" else variables


def is_secret(name: str) -> bool:
    return any(word in name for word in SECRET_WORDS)


def with_secrets_of_its_own(variables: Mapping[str, str]) -> dict[str, str]:
    return {
        name: "a-secret-of-this-installation-alone" if is_secret(name) else value
        for name, value in variables.items()
    }


@pytest.mark.parametrize("folder", environment.SERVICES)
def test_every_secret_of_an_example_carries_the_mark_and_nothing_else_does(folder: str) -> None:
    variables = example(folder)

    marked = {name for name, value in variables.items() if value.startswith(EXAMPLE_MARK)}

    assert marked == {name for name in variables if is_secret(name)}
    assert marked


def test_the_examples_fit_together() -> None:
    assert environment.disagreements({name: example(name) for name in LOADERS}) == []


@pytest.mark.parametrize("folder", LOADERS)
def test_the_examples_are_taken_in_development(folder: str) -> None:
    LOADERS[folder](example(folder))


@pytest.mark.parametrize("folder", LOADERS)
def test_production_refuses_every_published_secret_by_name_and_shows_none(folder: str) -> None:
    variables = {**example(folder), "ENVIRONMENT": "production"}

    with pytest.raises(SettingsError) as refusal:
        LOADERS[folder](variables)

    names = {line.partition(" ")[0] for line in refusal.value.mistakes}
    assert names == {name for name in variables if is_secret(name)}
    assert EXAMPLE_MARK not in str(refusal.value)


@pytest.mark.parametrize("folder", LOADERS)
def test_production_takes_secrets_of_its_own(folder: str) -> None:
    LOADERS[folder]({**with_secrets_of_its_own(example(folder)), "ENVIRONMENT": "production"})


def test_production_refuses_a_published_secret_among_several() -> None:
    own = with_secrets_of_its_own(example("customers_api"))
    rotated = f"{own['JWT_SECRET']},{example('customers_api')['JWT_SECRET']}"
    variables = {**own, "JWT_SECRET": rotated, "ENVIRONMENT": " production "}

    with pytest.raises(SettingsError, match=r"JWT_SECRET is the published example"):
        customers_api.settings.load(variables)


def test_an_environment_that_is_neither_is_refused_by_the_orchestrator_too() -> None:
    with pytest.raises(SettingsError, match="ENVIRONMENT must be one of"):
        orchestrator_image.settings.load({**example("orchestrator_image"), "ENVIRONMENT": "prod"})


def warnings_of(variables: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return what a process with these variables logs at its start."""
    program = "\n".join(
        [
            "import os",
            f"from {logs.__name__} import configure, warn_of_published_secrets",
            "configure('a-service', 'INFO')",
            "warn_of_published_secrets(os.environ)",
        ]
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **variables},
        check=True,
        capture_output=True,
        text=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_process_with_published_secrets_says_so_once_and_shows_none() -> None:
    (line,) = warnings_of(example("customers_api"))

    assert line["level"] == "warning"
    assert "published example secrets" in line["event"]
    assert line["variables"] == ["JWT_SECRET", "MYSQL_PASSWORD", "SERVICE_TOKEN"]
    assert EXAMPLE_MARK not in str(line)


def test_a_process_with_secrets_of_its_own_says_nothing() -> None:
    assert warnings_of(with_secrets_of_its_own(example("customers_api"))) == []
