"""How a system is brought up: in which order, and when it counts as up."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from local_system import ports, processes
from local_system.failures import LocalSystemError
from local_system.programs import DATABASE, Place

if TYPE_CHECKING:
    from pathlib import Path

    from local_system.system import LocalSystem

_HEALTHY_SECONDS = 60.0
_EMBEDDED_WAIT_SECONDS = 60
_GIVEN_SERVER_WAIT_SECONDS = 10
_LONGEST_LINE = 300


def start(system: "LocalSystem") -> None:
    """Bring everything up and return when it is healthy; after a failure nothing stays.

    Raises:
        LocalSystemError: a port is taken, or something cannot be had or did not start.
    """
    _end_remains(system)
    own_ports = system.ports.by_variable()
    if not system.is_embedded:
        own_ports = [named for named in own_ports if named[0] != "MYSQL_PORT"]
    ports.check_free(own_ports)
    system.supervisor.write(system.programs())
    system.remember()
    try:
        with system.progress.step("starting supervisord"):
            system.supervisor.start()
        ensure_healthy(system)
    except BaseException:
        system.progress.note("stopping what was started")
        system.stop()
        raise


def ensure_healthy(system: "LocalSystem") -> None:
    """Start the programs that do not run and wait until all can do their work.

    Raises:
        LocalSystemError: one did not get there; names its log.
    """
    places = system.places()
    states = system.supervisor.states()
    if all(states[place.name].is_running for place in places):
        with system.progress.step("checking that everything is healthy"):
            _start_and_wait(system, places)
        return
    database = [place for place in places if place.name == DATABASE]
    others = [place for place in places if place.name != DATABASE]
    if database:
        with system.progress.step("starting the database server"):
            _start_and_wait(system, database)
    with system.progress.step("migrating the database"):
        _migrate(system)
    with system.progress.step("loading the first data"):
        system.run_module("db.seed")
    with system.progress.step(f"starting {', '.join(place.name for place in others)}"):
        _start_and_wait(system, others)


def _end_remains(system: "LocalSystem") -> None:
    remains = processes.marked(system.run_dir)
    if remains:
        with system.progress.step(f"ending {len(remains)} processes of an earlier start"):
            system.stop()


def _migrate(system: "LocalSystem") -> None:
    if system.is_embedded:
        system.run_module("db.migrate", "--wait", str(_EMBEDDED_WAIT_SECONDS))
        return
    try:
        system.run_module("db.migrate", "--wait", str(_GIVEN_SERVER_WAIT_SECONDS))
    except LocalSystemError as failure:
        raise LocalSystemError(
            f"{failure} (MYSQL_HOST names this server, in the environment or in db/.env; without "
            "it scripts/up runs one of its own)"
        ) from failure


def _start_and_wait(system: "LocalSystem", places: Sequence[Place]) -> None:
    for place in places:
        if not system.is_ready(place):  # it may run in somebody's foreground (scripts/dev)
            system.supervisor.start_program(place.name)
    for place in places:
        processes.wait_until(_has_decided(system, place), _HEALTHY_SECONDS)
        if not system.is_ready(place):
            raise LocalSystemError(_complaint(system, place))


def _has_decided(system: "LocalSystem", place: Place) -> Callable[[], bool]:
    return lambda: system.is_ready(place) or system.supervisor.states()[place.name].is_failing


def _complaint(system: "LocalSystem", place: Place) -> str:
    log = system.logs / f"{place.name}.log"
    failing = system.supervisor.states()[place.name].is_failing
    what = "ended soon after its start" if failing else "does not get healthy"
    return f"{place.name} {what}: {_last_line(log)}; see {log}"


def _last_line(log: "Path") -> str:
    try:
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines()]
    except OSError:
        return "it wrote no log"
    return next(filter(None, reversed(lines)), "its log is empty")[:_LONGEST_LINE]
