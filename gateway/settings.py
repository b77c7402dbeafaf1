"""What the gateway reads from its environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service_kit.settings import Environment, JwtSettings, ServingSettings

_LONGEST_FUNCTION_SECONDS = 900
_HIGHEST_RATE_LIMIT = 1_000_000


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of the process."""

    serving: ServingSettings
    jwt: JwtSettings = field(repr=False)
    service_tokens: tuple[str, ...] = field(repr=False)
    """Known here only to tell a service that it stands at the wrong door (403, not 401)."""
    customers_api_base: str
    orders_api_base: str
    lambda_endpoints: tuple[str, ...]
    lambda_timeout_seconds: float
    rate_limit: int | None
    """Calls a second that each caller may make; None: as many as it likes."""


def load(variables: Mapping[str, str]) -> Settings:
    """Read the settings.

    Raises:
        SettingsError: variables are missing or wrong; it lists them all.
    """
    environment = Environment(variables)
    settings = Settings(
        serving=environment.serving("GATEWAY_PORT", 3000),
        jwt=environment.jwt(),
        service_tokens=environment.secrets("SERVICE_TOKEN"),
        customers_api_base=environment.url("CUSTOMERS_API_BASE"),
        orders_api_base=environment.url("ORDERS_API_BASE"),
        # Each once: an emulator that stands here twice would get two invocations at a time.
        lambda_endpoints=tuple(dict.fromkeys(environment.urls("LAMBDA_ENDPOINTS"))),
        lambda_timeout_seconds=environment.number(
            "LAMBDA_TIMEOUT_SECONDS", 20, minimum=1, maximum=_LONGEST_FUNCTION_SECONDS
        ),
        rate_limit=environment.number_or_off(
            "RATE_LIMIT", 1000, minimum=1, maximum=_HIGHEST_RATE_LIMIT
        ),
    )
    environment.check()
    return settings
