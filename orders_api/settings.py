"""What the Orders API reads from its environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service_kit.database_driver import DatabaseSettings
from service_kit.settings import Environment, JwtSettings, ServingSettings

_YEAR_SECONDS = 366 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one process."""

    serving: ServingSettings
    database: DatabaseSettings
    jwt: JwtSettings
    service_tokens: tuple[str, ...] = field(repr=False)
    customers_api_base: str
    circuit_failures: int
    """Calls to the Customers API that fail in a row before no more are made for a while."""
    circuit_open_seconds: int
    cancel_window_seconds: int
    idempotency_ttl_seconds: int


def load(variables: Mapping[str, str]) -> Settings:
    """Read the settings.

    Raises:
        SettingsError: variables are missing or wrong; it lists them all.
    """
    environment = Environment(variables)
    settings = Settings(
        serving=environment.serving("ORDERS_PORT", 3002),
        database=DatabaseSettings.read(environment),
        jwt=environment.jwt(),
        service_tokens=environment.secrets("SERVICE_TOKEN"),
        customers_api_base=environment.url("CUSTOMERS_API_BASE"),
        circuit_failures=environment.number(
            "CUSTOMERS_CIRCUIT_FAILURES", 5, minimum=1, maximum=1000
        ),
        circuit_open_seconds=environment.number(
            "CUSTOMERS_CIRCUIT_OPEN_SECONDS", 2, minimum=1, maximum=3600
        ),
        cancel_window_seconds=environment.number(
            "CANCEL_WINDOW_SECONDS", 600, minimum=0, maximum=_YEAR_SECONDS
        ),
        idempotency_ttl_seconds=environment.number(
            "IDEMPOTENCY_TTL_SECONDS", 24 * 3600, minimum=1, maximum=_YEAR_SECONDS
        ),
    )
    environment.check()
    return settings
