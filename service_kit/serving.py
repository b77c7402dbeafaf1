"""Running a service: listen, stop cleanly, and several workers on one port.

On SIGTERM or SIGINT a process stops accepting, finishes what runs, closes its connections, and
exits with 0. With ``--workers N`` a supervising process starts N of them on one port
(SO_REUSEPORT), starts a dead one again, and passes the signal on.
"""

import argparse
import asyncio
import gc
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog
import uvloop
from tornado.netutil import bind_sockets

from service_kit import logs
from service_kit.application import ServiceApplication
from service_kit.metrics import MULTIPROCESS_FOLDER, forget_process
from service_kit.server import allow_many_files, http_server
from service_kit.settings import ServingSettings, SettingsError

log = structlog.get_logger()

DRAIN_SECONDS = 8.0
# A client that has just been told to close its connection may have a request on its way.
GRACE_SECONDS = 0.3
POLL_SECONDS = 0.02
BACKLOG = 1024
RESTART_SECONDS = 1.0
WORKER = "SERVICE_WORKER"
GARBAGE_THRESHOLDS = (20_000, 10, 50)

Closer = Callable[[], Awaitable[None]]
Opener = Callable[[], Awaitable[tuple[ServiceApplication, Closer]]]


@dataclass(frozen=True, slots=True)
class Service:
    """What `main` runs: a name, how it listens, and how its application is made and closed."""

    name: str
    serving: ServingSettings
    open: Opener


def main(name: str, load: Callable[[], Service], *, may_have_workers: bool = True) -> None:
    """Run a service from the command line."""
    # Until there is a loop to stop, stopping is no more than ending.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    parser = argparse.ArgumentParser(prog=f"python -m {name}", description=main.__doc__)
    if may_have_workers:
        parser.add_argument("--workers", type=int, default=1, help="processes on the port")
    arguments = parser.parse_args()
    try:
        service = load()
    except SettingsError as error:
        sys.exit(f"{name}: {error}")
    logs.configure(service.name, service.serving.log_level)
    if WORKER not in os.environ:
        logs.warn_of_published_secrets(os.environ)
    workers = getattr(arguments, "workers", 1)
    if workers > 1 and WORKER not in os.environ:
        sys.exit(_supervise(name, service.serving, workers))
    allow_many_files()
    uvloop.run(_serve(service))


async def _serve(service: Service) -> None:
    serving = service.serving
    shared = WORKER in os.environ
    try:
        sockets = bind_sockets(serving.port, serving.address, backlog=BACKLOG, reuse_port=shared)
    except OSError as error:
        sys.exit(f"{service.name}: cannot listen on port {serving.port}: {error.strerror}")
    application, close = await service.open()
    server = http_server(application)
    server.add_sockets(sockets)
    _look_for_garbage_less_often()
    log.info("serving", address=serving.address, port=serving.port)
    await _stop_signal()
    log.info("stopping", requests_under_way=application.requests_under_way)
    server.stop()
    await _drain(application)
    # What still runs hears that all is closed, and can say so.
    await close()
    await _until_answered(application, GRACE_SECONDS)
    await server.close_all_connections()
    log.info("stopped")


def _look_for_garbage_less_often() -> None:
    """Spare the collector what stays, and thousands of connections a look at each request.

    By itself it looks through all that lives whenever a quarter more has come, and a thousand
    clients who connect at once are many quarters: half of the time went there.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


async def _stop_signal() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    parent = os.getppid()
    while not stop.is_set():
        # A worker whose supervisor was killed must not go on unsupervised.
        if WORKER in os.environ and os.getppid() != parent:
            return
        try:
            async with asyncio.timeout(1):
                await stop.wait()
        except TimeoutError:
            continue


async def _drain(application: ServiceApplication) -> None:
    application.draining = True
    end = time.monotonic() + DRAIN_SECONDS
    quiet_since = time.monotonic()
    while time.monotonic() < end:
        if application.requests_under_way:
            quiet_since = time.monotonic()
        elif time.monotonic() - quiet_since > GRACE_SECONDS:
            return
        await asyncio.sleep(POLL_SECONDS)


async def _until_answered(application: ServiceApplication, seconds: float) -> None:
    for _ in range(round(seconds / POLL_SECONDS)):
        if not application.requests_under_way:
            return
        await asyncio.sleep(POLL_SECONDS)


def _supervise(name: str, serving: ServingSettings, workers: int) -> int:
    """Keep the workers running until told to stop; return the exit code."""
    # Workers share the port among themselves; with another program they would share it unnoticed.
    try:
        for probe in bind_sockets(serving.port, serving.address):
            probe.close()
    except OSError as error:
        return _fail(f"{name}: cannot listen on port {serving.port}: {error.strerror}")
    stopping = False

    def stop(_number: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    with tempfile.TemporaryDirectory(prefix="metrics-") as folder:
        environment = {**os.environ, WORKER: "1", MULTIPROCESS_FOLDER: folder}
        command = [sys.executable, "-m", name]
        running = [_start(command, environment) for _ in range(workers)]
        while not stopping:
            time.sleep(POLL_SECONDS)
            for place, worker in enumerate(running):
                if worker.poll() is not None and not stopping:
                    log.error("a worker ended", pid=worker.pid, exit_code=worker.returncode)
                    forget_process(worker.pid, folder)
                    time.sleep(RESTART_SECONDS)
                    running[place] = _start(command, environment)
        return _stop_all(running)


def _start(command: Sequence[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, env=environment)  # noqa: S603  # our own command line


def _stop_all(running: Sequence[subprocess.Popen[bytes]]) -> int:
    for worker in running:
        worker.terminate()
    return max(abs(worker.wait()) for worker in running)


def _fail(message: str) -> int:
    sys.stderr.write(message + "\n")
    return 1
