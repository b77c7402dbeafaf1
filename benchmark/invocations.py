"""What an invocation costs under the emulator: the first one, and those of a warm function."""

import http.client
import json
import statistics
import threading
import time
import uuid
from collections.abc import Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmark.stand import Stand
from deployment import commands
from deployment.emulated import INVOCATIONS, EmulatedFunction, emulated, http_event
from local_system.construction import ROOT
from local_system.failures import LocalSystemError
from local_system.ports import ADDRESS

_CREATED = 201
_FUNCTION_SECONDS = 20
_START_SECONDS = 60
_WARM_UP = 20
_THREE_CALLS = Path(__file__).with_name("three_calls.py")


_TOLD = (
    "CUSTOMERS_API_BASE",
    "ORDERS_API_BASE",
    "JWT_ISSUER",
    "JWT_AUDIENCE",
    "JWT_SECRET",
    "SERVICE_TOKEN",
    "LOG_LEVEL",
)


@dataclass(frozen=True, slots=True)
class First:
    """Milliseconds until the first answer: from the emulator's start, and from the request."""

    since_start_ms: float
    since_request_ms: float


@dataclass(frozen=True, slots=True)
class Warm:
    """A warm invocation, in milliseconds, beside its three calls alone.

    CPU is that of function and emulator; the services' own is not in it.
    """

    p50_ms: float
    function_cpu_ms: float
    emulator_cpu_ms: float
    calls_p50_ms: float
    calls_cpu_ms: float

    @property
    def overhead_cpu_ms(self) -> float:
        """What handler and emulator spend beyond the three calls."""
        return self.function_cpu_ms + self.emulator_cpu_ms - self.calls_cpu_ms


@dataclass(frozen=True, slots=True)
class Scene:
    """The image, what the function is told, and an order to be taken."""

    stand: Stand
    image: str
    options: Sequence[str]

    def first(self) -> First:
        """Start a container and take an order by its first invocation."""
        with self._emulated() as function:
            return _first_answer(function, self._event())[0]

    def warm(self, count: int) -> Warm:
        """Take orders by one function, one after the other, then make their calls without it."""
        with self._emulated() as function:
            _, connection = _first_answer(function, self._event())
            with closing(connection):
                for _ in range(_WARM_UP):
                    _invoke(connection, self._event())
                milliseconds, spent = self._timed(connection, count, function.pid())
        calls = self._three_calls(count)
        return Warm(
            p50_ms=statistics.median(milliseconds),
            function_cpu_ms=spent["function"],
            emulator_cpu_ms=spent["emulator"],
            calls_p50_ms=calls["p50_ms"],
            calls_cpu_ms=calls["cpu_ms"],
        )

    def _emulated(self) -> AbstractContextManager[EmulatedFunction]:
        return emulated(
            self.image,
            self.variables,
            _FUNCTION_SECONDS,
            ROOT,
            self.stand.system.progress,
            self.options,
        )

    @property
    def variables(self) -> dict[str, str]:
        """What the function is told."""
        return {
            name: value
            for name, value in self.stand.system.environment("orchestrator_image").items()
            if name in _TOLD
        }

    def _event(self) -> bytes:
        order = {
            "customer_id": self.stand.loaded.customers[0],
            "items": [{"product_id": self.stand.loaded.products[0], "qty": 1}],
            "idempotency_key": str(uuid.uuid4()),
        }
        return json.dumps(http_event(order, self.stand.token)).encode()

    def _timed(
        self, connection: http.client.HTTPConnection, count: int, pid: int
    ) -> tuple[list[float], dict[str, float]]:
        events = [self._event() for _ in range(count)]
        before = _cpu_seconds(pid)
        milliseconds = [_invoke(connection, event) for event in events]
        used = {name: seconds - before[name] for name, seconds in _cpu_seconds(pid).items()}
        return milliseconds, {name: seconds * 1000 / count for name, seconds in used.items()}

    def _three_calls(self, count: int) -> dict[str, float]:
        variables = {
            **self.variables,
            "CUSTOMER_ID": str(self.stand.loaded.customers[0]),
            "PRODUCT_ID": str(self.stand.loaded.products[0]),
        }
        command = ["docker", "run", "--rm", "--network=host", "--read-only", *self.options]
        command += [f"--volume={_THREE_CALLS}:/three_calls.py:ro", "--entrypoint=python"]
        command += [f"--env={name}={value}" for name, value in variables.items()]
        measured: dict[str, float] = json.loads(
            commands.printed([*command, self.image, "/three_calls.py", str(count)], ROOT)
        )
        return measured


def _first_answer(
    function: EmulatedFunction, event: bytes
) -> tuple[First, http.client.HTTPConnection]:
    """Ask as soon as the emulator listens; return the times, and the connection that was used."""
    starting = threading.Thread(target=function.start)
    starting.start()
    try:
        connection = _connected(function.port)
        milliseconds = _invoke(connection, event)
        answered = time.clock_gettime(time.CLOCK_BOOTTIME)
    finally:
        starting.join()
    since_start = answered - _started(_parts(function.pid())["emulator"])
    return First(since_start * 1000, milliseconds), connection


def _connected(port: int) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection(ADDRESS, port, timeout=_FUNCTION_SECONDS)
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            connection.connect()
        except OSError:
            if time.monotonic() > deadline:
                raise LocalSystemError("the emulator in the container did not start") from None
            time.sleep(0.001)
        else:
            return connection


def _invoke(connection: http.client.HTTPConnection, event: bytes) -> float:
    """Invoke the function, which must confirm an order; return the milliseconds."""
    began = time.perf_counter()
    connection.request("POST", INVOCATIONS, event)
    answer = connection.getresponse().read()
    milliseconds = (time.perf_counter() - began) * 1000
    if json.loads(answer).get("statusCode") != _CREATED:
        raise LocalSystemError(f"the function took no order: {answer.decode(errors='replace')}")
    return milliseconds


def _cpu_seconds(pid: int) -> dict[str, float]:
    """Return the CPU that the emulator and the function in the container have used."""
    return {name: sum(part.cpu_times()[:2]) for name, part in _parts(pid).items()}


def _parts(pid: int) -> dict[str, psutil.Process]:
    """Return the emulator and the function below the container's first process."""
    children = psutil.Process(pid).children(recursive=True)
    return {
        "function" if process.name().startswith("python") else "emulator": process
        for process in children
    }


def _started(process: psutil.Process) -> float:
    """Return when a process started, in seconds since the machine did (to a hundredth)."""
    # By the clock of the day it is known to a second alone: so is the moment of booting.
    started: float = process.create_time() - psutil.boot_time()
    return started
