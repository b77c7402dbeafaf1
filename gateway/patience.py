"""How long the gateway waits for whom, in seconds."""

from dataclasses import dataclass

from service_kit.operations import HEALTH_KEPT_SECONDS
from service_kit.retrying import Backoff


@dataclass(frozen=True, slots=True)
class ServicePatience:
    """With a service behind the proxy, and with the client that reads the answer."""

    connect: float
    free_connection: float
    """Waiting for one of the bounded number of connections, and connecting."""
    answer: float
    """Until the answer begins, over all attempts; and between two parts of it."""
    client: float
    """Until the client takes the next part of an answer."""
    health: float
    document: float
    backoff: Backoff


@dataclass(frozen=True, slots=True)
class EmulatorPatience:
    """With the emulators, and of those who wait for one."""

    most_waiting: int
    wait: float
    """For a place; the clock of each call starts when it comes."""
    margin: float
    """What an answer may take beyond the function's own timeout: a cold start, the way there."""
    total: float
    """For all of a call, its repeats included."""
    most_attempts: int
    connect: float
    probes: Backoff


@dataclass(frozen=True, slots=True)
class Patience:
    """All of it; tests have less."""

    services: ServicePatience
    emulators: EmulatorPatience
    document_kept: float
    document_failure_kept: float
    """Before the services are asked again for what they did not have."""
    health_kept: float


PATIENCE = Patience(
    services=ServicePatience(
        connect=2.0,
        free_connection=5.0,
        answer=30.0,
        client=30.0,
        health=3.0,
        document=5.0,
        backoff=Backoff(base_seconds=0.05, cap_seconds=0.5, attempts=3),
    ),
    emulators=EmulatorPatience(
        most_waiting=100,
        wait=25.0,
        margin=3.0,
        total=60.0,
        most_attempts=3,
        connect=2.0,
        probes=Backoff(base_seconds=0.2, cap_seconds=2.0, attempts=0),
    ),
    document_kept=60.0,
    document_failure_kept=1.0,
    health_kept=HEALTH_KEPT_SECONDS,
)
