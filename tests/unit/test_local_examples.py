"""Each `.env.example` is all that its service needs to start."""

from pathlib import Path

import customers_api.settings
import orders_api.settings
from db.connection import DatabaseSettings
from local_system import environment
from local_system.environment import example_file

ROOT = Path(__file__).resolve().parents[2]


def example(folder: str) -> dict[str, str]:
    return environment.read(example_file(ROOT, folder))


def test_the_customers_api_starts_with_its_example() -> None:
    assert customers_api.settings.load(example("customers_api")).database.host == "db"


def test_the_orders_api_starts_with_its_example() -> None:
    settings = orders_api.settings.load(example("orders_api"))

    assert settings.customers_api_base == "http://customers-api:3001"


def test_the_database_is_set_up_with_its_example() -> None:
    settings = DatabaseSettings.from_environment({**example("db"), "MYSQL_HOST": "db"})

    assert (settings.host, settings.database, settings.tls) == ("db", "backoffice", False)
    assert settings.customers_password == example("customers_api")["MYSQL_PASSWORD"]
