"""Starting and stopping a whole system with its own database server, and what may go wrong."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from local_system import ports, processes
from local_system.construction import temporary_system
from local_system.failures import LocalSystemError
from local_system.system import LocalSystem

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    made = temporary_system(tmp_path_factory.mktemp("start") / "run")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def running(system: LocalSystem) -> LocalSystem:
    if not system.is_running():
        system.start()
    return system


def listening(system: LocalSystem) -> list[tuple[str, int]]:
    return [named for named in system.ports.by_variable() if ports.is_answering(named[1])]


def test_a_started_system_is_ready_in_every_place(running: LocalSystem) -> None:
    assert [place.name for place in running.places() if not running.is_ready(place)] == []


def test_making_sure_that_a_healthy_system_is_healthy_restarts_nothing(
    running: LocalSystem,
) -> None:
    before = {name: state.pid for name, state in running.supervisor.states().items()}

    running.ensure_healthy()

    assert {name: state.pid for name, state in running.supervisor.states().items()} == before


def test_a_program_that_was_stopped_is_started_by_making_sure(running: LocalSystem) -> None:
    running.supervisor.stop_program("orders")

    running.ensure_healthy()

    assert running.supervisor.states()["orders"].is_running


def test_stopping_leaves_no_process_no_listening_port_and_no_socket(
    running: LocalSystem,
) -> None:
    sockets = Path((running.run_dir / "socket-folder").read_text().strip())

    assert running.stop()

    assert processes.marked(running.run_dir) == []
    assert listening(running) == []
    assert not sockets.exists()
    assert not running.stop()


@pytest.mark.parametrize("victims", [["supervisord"], ["database", "emulator-1", "supervisord"]])
def test_what_a_crash_leaves_behind_is_stopped_too(
    running: LocalSystem, victims: list[str]
) -> None:
    pids = {name: state.pid for name, state in running.supervisor.states().items()}
    pids["supervisord"] = int((running.run_dir / "supervisord.pid").read_text())
    for victim in victims:
        os.kill(pids[victim], signal.SIGKILL)

    running.stop()

    assert processes.marked(running.run_dir) == []
    assert listening(running) == []


def test_a_database_that_was_killed_comes_back_with_its_data(running: LocalSystem) -> None:
    database = running.supervisor.states()["database"].pid
    supervisor = int((running.run_dir / "supervisord.pid").read_text())
    os.kill(database, signal.SIGKILL)
    os.kill(supervisor, signal.SIGKILL)
    assert processes.gone([database, supervisor], 10)

    running.start()

    assert "nothing was loaded" in running.run_module("db.seed")


def test_a_taken_port_is_told_before_anything_is_started(tmp_path: Path) -> None:
    other = temporary_system(tmp_path / "run")
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", other.ports.orders))
        taken.listen(1)

        with pytest.raises(LocalSystemError, match=f"port {other.ports.orders} .* ORDERS_PORT"):
            other.start()

    assert not other.run_dir.exists()


def test_a_start_that_fails_names_the_reason_and_the_log_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    other = temporary_system(tmp_path / "run", {"LOG_LEVEL": "LOUD"})

    with pytest.raises(LocalSystemError, match=r"LOG_LEVEL must be one of .*; see .*\.log"):
        other.start()

    assert processes.marked(other.run_dir) == []
    assert listening(other) == []
