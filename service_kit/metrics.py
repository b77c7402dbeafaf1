"""Metrics in Prometheus' text format: requests, pool, repeats, and what a service adds.

With several workers (PROMETHEUS_MULTIPROC_DIR is set, see `serving`) any of them answers for all.
"""

import functools
import os
from collections.abc import Callable

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

MULTIPROCESS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """What every service counts; one for each application, so that two can share a process."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "http_requests_total",
            "Requests answered.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._durations = Histogram(
            "http_request_duration_seconds",
            "Time from the request's headers to the end of its answer.",
            ["method", "route"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._pool_in_use = Gauge(
            "database_connections_in_use",
            "Database connections that requests hold now.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        # Looked up once: methods, routes and statuses are few.
        self._series = functools.cache(self._find_series)
        self._repeats = Counter(
            "database_transactions_repeated_total",
            "Transactions that were run again, by reason.",
            ["reason"],
            registry=self.registry,
        )

    def request_answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        count, observe = self._series(method, route, status)
        count()
        observe(seconds)

    def _find_series(
        self, method: str, route: str, status: int
    ) -> tuple[Callable[[], None], Callable[[float], None]]:
        return (
            self._requests.labels(method, route, str(status)).inc,
            self._durations.labels(method, route).observe,
        )

    def pool_in_use(self, connections: int) -> None:
        """Connections are in use now."""
        self._pool_in_use.set(connections)

    def transaction_repeated(self, reason: str) -> None:
        """A transaction is run again."""
        self._repeats.labels(reason).inc()

    def counter(self, name: str, description: str) -> Counter:
        """Add a counter of a service's own."""
        return Counter(name, description, registry=self.registry)

    def gauge(self, name: str, description: str) -> Gauge:
        """Add a gauge of a service's own."""
        return Gauge(name, description, registry=self.registry, multiprocess_mode="livesum")

    def exposition(self) -> bytes:
        """Return all metrics as text."""
        if os.environ.get(MULTIPROCESS_FOLDER):
            everything = CollectorRegistry()
            MultiProcessCollector(everything)  # type: ignore[no-untyped-call]  # it has no types
            return generate_latest(everything)
        return generate_latest(self.registry)


def forget_process(pid: int, folder: str) -> None:
    """Take a dead worker's gauges out of the sums; its counters stay."""
    mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]  # it has no types
