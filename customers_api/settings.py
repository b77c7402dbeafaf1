"""What the Customers API reads from its environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service_kit.database_driver import DatabaseSettings
from service_kit.settings import Environment, JwtSettings, ServingSettings


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one process."""

    serving: ServingSettings
    database: DatabaseSettings
    jwt: JwtSettings
    service_tokens: tuple[str, ...] = field(repr=False)


def load(variables: Mapping[str, str]) -> Settings:
    """Read the settings.

    Raises:
        SettingsError: variables are missing or wrong; it lists them all.
    """
    environment = Environment(variables)
    settings = Settings(
        serving=environment.serving("CUSTOMERS_PORT", 3001),
        database=DatabaseSettings.read(environment),
        jwt=environment.jwt(),
        service_tokens=environment.secrets("SERVICE_TOKEN"),
    )
    environment.check()
    return settings
