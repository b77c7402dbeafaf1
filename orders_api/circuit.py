"""The circuit of calls to the Customers API: open after failures, so that nobody waits for them.

It opens after so many failures in a row, refuses at once while it is open, and then lets a single
call through to find out: its success closes the circuit, its failure opens it again. What is a
failure is the client's to say: `CustomersUnavailable` is one, "no such customer" is an answer.

circuitbreaker keeps count and time. Of its own it lets all calls through once the time is over,
and takes a cancelled call for a success; so it is told of outcomes alone, and of one probe at a
time.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog
from circuitbreaker import CircuitBreaker

from orders_api.problems import CustomerNotFound, CustomersUnavailable
from service_kit.metrics import Metrics

log = structlog.get_logger()


class CircuitOpen(CustomersUnavailable):
    """Nobody was asked, because of what became of others."""


class Circuit:
    """The circuit of one process."""

    def __init__(self, failures: int, open_seconds: int, metrics: Metrics) -> None:
        self._breaker = CircuitBreaker(failures, open_seconds, CustomersUnavailable)
        self._is_probed = False
        self._open_gauge = metrics.gauge(
            "customers_circuit_open", "Workers that refuse calls to the Customers API at once."
        )
        self._refusals = metrics.counter(
            "customers_circuit_refusals_total", "Calls to the Customers API refused at once."
        )

    async def run(self, call: Callable[[], Awaitable[None]]) -> None:
        """Make a call, unless the circuit is open.

        Raises:
            CustomerNotFound: the call's own answer.
            CustomersUnavailable: the call's own failure, or there was none because of others.
        """
        if self._breaker.closed:
            await self._counted(call, is_probe=False)
        elif self._breaker.opened or self._is_probed:
            self._refusals.inc()
            seconds = max(1, self._breaker.open_remaining)
            raise CircuitOpen(headers={"Retry-After": str(seconds)})
        else:
            await self._probe(call)

    async def _probe(self, call: Callable[[], Awaitable[None]]) -> None:
        self._is_probed = True
        log.info("customers circuit half-open")
        try:
            await self._counted(call, is_probe=True)
        finally:
            self._is_probed = False

    async def _counted(self, call: Callable[[], Awaitable[None]], *, is_probe: bool) -> None:
        try:
            await call()
        except CustomersUnavailable as problem:
            if self._counts(is_probe=is_probe):
                self._failed(problem)
            raise
        except CustomerNotFound:
            self._succeeded(is_probe=is_probe)
            raise
        self._succeeded(is_probe=is_probe)

    def _counts(self, *, is_probe: bool) -> bool:
        """Tell whether an outcome is news: of a call older than the opening it is not."""
        return is_probe or bool(self._breaker.closed)

    def _failed(self, problem: CustomersUnavailable) -> None:
        with suppress(CustomersUnavailable), self._breaker:
            raise problem
        if self._breaker.opened:
            self._open_gauge.set(1)
            log.error("customers circuit opened", failures=self._breaker.failure_count)

    def _succeeded(self, *, is_probe: bool) -> None:
        if not self._counts(is_probe=is_probe):
            return
        self._breaker.reset()
        if is_probe:
            self._open_gauge.set(0)
            log.info("customers circuit closed")
