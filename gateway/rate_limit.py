"""How often one caller may call: so many times a second, twice as many at once after a pause.

A caller is the subject of its token, or its address as long as it has no good one. The generic cell
rate algorithm keeps one moment for each caller, and no more than so many callers are remembered:
whoever has not called for the longest time is forgotten, and starts anew.
"""

import hashlib
import math
from datetime import timedelta
from ipaddress import IPv6Address, ip_address

from throttled import RateLimiterType, Throttled, per_duration
from throttled.store import MemoryStore

from service_kit.metrics import Metrics
from service_kit.problems import Problem, RateLimited
from service_kit.tokens import Authenticator, Caller, Role

MOST_CALLERS = 10_000
BURST_SECONDS = 2
"""What a caller may save up."""

# What one customer of an IPv6 provider has at least (RFC 6177): single addresses cost nothing.
_NETWORK_BITS = 64


class RateLimit:
    """The limit of one process, for all callers."""

    def __init__(
        self,
        calls_a_second: int | None,
        authenticator: Authenticator,
        metrics: Metrics,
        most_callers: int = MOST_CALLERS,
    ) -> None:
        self._authenticator = authenticator
        self._refusals = metrics.counter(
            "calls_rate_limited_total", "Calls refused because their caller made too many."
        )
        self._limiter = None if calls_a_second is None else _limiter(calls_a_second, most_callers)

    def admit(self, authorization: str | None, address: str) -> Caller | None:
        """Count a call; return who makes it, None if its credential is no good.

        Services are not counted. Whether the caller may do what it wants is not asked here.

        Raises:
            RateLimited: it makes too many.
        """
        try:
            caller = self._authenticator.identify(authorization)
        except Problem:
            caller = None
        if caller is None:
            self._count(f"address {_network(address)}")
        elif caller.role is not Role.SERVICE:
            self._count(f"subject {caller.subject}")
        return caller

    def _count(self, name: str) -> None:
        if self._limiter is None:
            return
        # A subject may be as long as a header; what is remembered of it is not.
        key = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        result = self._limiter.limit(key)
        if result.limited:
            self._refusals.inc()
            seconds = max(1, math.ceil(result.state.retry_after))
            raise RateLimited(headers={"Retry-After": str(seconds)})


def _limiter(calls_a_second: int, most_callers: int) -> Throttled:
    return Throttled(
        using=RateLimiterType.GCRA.value,
        quota=per_duration(
            timedelta(seconds=1), calls_a_second, burst=calls_a_second * BURST_SECONDS
        ),
        store=MemoryStore(options={"MAX_SIZE": most_callers}),
    )


def _network(address: str) -> str:
    """Return the network that one caller is taken to have: an IPv4 address, or 64 bits of IPv6."""
    try:
        parsed = ip_address(address)
    except ValueError:  # a Unix socket has none
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(int(parsed) >> (128 - _NETWORK_BITS))
