"""What the orchestrator is told by its environment, and how patient it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service_kit.retrying import Backoff
from service_kit.settings import Environment, JwtSettings
from service_kit.upstream import Timeouts


@dataclass(frozen=True, slots=True)
class Patience:
    """How long things may take, in seconds.

    An attempt is given a little more than the service's own waits (for a connection, for a lock),
    so that its "busy" arrives before we stop listening. The shares say how much of the time left a
    step may use: a step that is slow must leave something for those after it, which usually take
    milliseconds, and a share fits a function timeout of any length.
    """

    customers: Timeouts
    orders: Timeouts
    backoff: Backoff
    customer_share: float
    create_share: float
    reserve: float
    """Kept back for writing the answer: it must be given before the function's own timeout."""
    time_left_by_default: float
    """Taken when the runtime does not say how much time the invocation has left."""


PATIENCE = Patience(
    customers=Timeouts(connect=2.0, total=4.0),
    orders=Timeouts(connect=2.0, total=9.0),
    backoff=Backoff(base_seconds=0.2, cap_seconds=2.0, attempts=4),
    customer_share=0.5,
    create_share=0.8,
    reserve=0.7,
    time_left_by_default=20.0,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the services are, how we and the operators show who we are."""

    customers_api_base: str
    orders_api_base: str
    service_tokens: tuple[str, ...] = field(repr=False)
    jwt: JwtSettings = field(repr=False)
    log_level: str
    patience: Patience = PATIENCE


def load(variables: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables.

    Raises:
        SettingsError: names everything that is missing or wrong.
    """
    environment = Environment(variables)
    settings = Settings(
        customers_api_base=environment.url("CUSTOMERS_API_BASE"),
        orders_api_base=environment.url("ORDERS_API_BASE"),
        service_tokens=environment.secrets("SERVICE_TOKEN"),
        jwt=environment.jwt(),
        log_level=environment.log_level(),
    )
    environment.check()
    return settings
