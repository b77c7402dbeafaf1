"""What supervisord is told: every program, in order, and no secret."""

import configparser
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_system import sockets
from local_system.construction import temporary_system
from local_system.database import EmbeddedDatabase
from local_system.database_binaries import Binaries
from local_system.environment import SECRETS
from local_system.failures import LocalSystemError
from local_system.programs import Program, programs
from local_system.supervision import Supervisor
from local_system.supervisor_configuration import configuration, launch_command
from local_system.system import LocalSystem

LONGEST_SOCKET_PATH = 107


@pytest.fixture
def system(tmp_path: Path) -> Iterator[LocalSystem]:
    deep = tmp_path / ("deep folder 100% " * 6) / "run"
    yield temporary_system(deep)
    sockets.remove_folder(deep / "socket-folder")


def all_programs(system: LocalSystem) -> list[Program]:
    database = EmbeddedDatabase(
        system.run_dir / "database",
        Path("/tmp/x/mysql.sock"),  # noqa: S108 - only a name here
        system.ports.mysql,
        Binaries("mariadb", Path("/usr/sbin/mariadbd"), Path("/usr/bin/mariadb-install-db")),
    )
    return programs(system.wiring, Path("/cache/aws-lambda-rie"), database)


@pytest.fixture
def written(system: LocalSystem) -> configparser.RawConfigParser:
    system.supervisor.write(all_programs(system))
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"))
    parser.read(system.run_dir / "supervisord.conf")
    return parser


def test_every_program_of_the_system_has_its_section(
    written: configparser.RawConfigParser, system: LocalSystem
) -> None:
    sections = {name for name in written.sections() if name.startswith("program:")}

    assert sections == {
        f"program:{name}"
        for name in (
            "database",
            "customers",
            "orders",
            "emulator-1",
            "emulator-2",
            "emulator-curl",
            "gateway",
        )
    }
    assert [place.name for place in system.places()] == [
        program.name for program in all_programs(system)
    ]


def test_the_gateway_stops_first_and_the_database_last(
    written: configparser.RawConfigParser,
) -> None:
    priority = {
        name: written.getint(f"program:{name}", "priority")
        for name in ("database", "customers", "orders", "emulator-1", "gateway")
    }

    assert max(priority, key=priority.__getitem__) == "gateway"
    assert min(priority, key=priority.__getitem__) == "database"
    assert priority["customers"] < priority["emulator-1"]


def test_services_get_longer_to_stop_than_they_need(
    written: configparser.RawConfigParser,
) -> None:
    for name in ("customers", "orders", "gateway"):
        assert written.getint(f"program:{name}", "stopwaitsecs") > 10


def test_a_program_that_ends_is_started_again(written: configparser.RawConfigParser) -> None:
    for section in written.sections():
        if section.startswith("program:"):
            assert written.get(section, "autorestart") == "true"


def test_no_secret_is_on_a_command_line(system: LocalSystem) -> None:
    secrets = {system.values[f][name] for secret in SECRETS for f, name in secret.places}

    for program in all_programs(system):
        assert not [part for part in program.command if any(s in part for s in secrets)]


def test_no_secret_is_in_the_configuration(
    written: configparser.RawConfigParser, system: LocalSystem
) -> None:
    text = (system.run_dir / "supervisord.conf").read_text()

    assert written.sections()
    for secret in SECRETS:
        for folder, variable in secret.places:
            assert system.values[folder][variable] not in text


def test_files_with_secrets_are_for_their_owner_alone(
    written: configparser.RawConfigParser, system: LocalSystem
) -> None:
    assert written.sections()
    for file in (system.run_dir / "programs").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(system.run_dir.stat().st_mode) == 0o700


def test_a_program_finds_its_environment_in_its_file(
    written: configparser.RawConfigParser, system: LocalSystem
) -> None:
    assert written.sections()

    known = system.supervisor.environment_of("orders")

    assert known["ORDERS_PORT"] == str(system.ports.orders)
    assert known["JWT_SECRET"] == system.values["orders_api"]["JWT_SECRET"]


def test_paths_with_blanks_and_percent_signs_come_through(
    written: configparser.RawConfigParser, system: LocalSystem
) -> None:
    command = written.get("program:orders", "command").replace("%%", "%")

    assert shlex.split(command)[-1] == str(system.supervisor.program_file("orders"))


@pytest.mark.parametrize("folder", ["a;b", 'a"b', "a #b", "a\nb", "a\\b"])
def test_a_folder_that_supervisord_cannot_spell_is_refused(folder: str) -> None:
    path = Path("/home") / folder

    with pytest.raises(LocalSystemError, match="must lie in a folder"):
        configuration(path, path, path, path)
    with pytest.raises(LocalSystemError):
        launch_command(path)


def test_sockets_lie_in_a_short_private_folder_however_deep_the_clone_is(
    system: LocalSystem,
) -> None:
    memory = system.run_dir / "socket-folder"

    folder = sockets.socket_folder(memory)

    assert len(str(folder / "supervisor.sock").encode()) <= LONGEST_SOCKET_PATH
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sockets.socket_folder(memory) == folder


def test_a_socket_folder_that_others_can_enter_is_not_used(system: LocalSystem) -> None:
    memory = system.run_dir / "socket-folder"
    first = sockets.socket_folder(memory)
    first.chmod(0o755)

    second = sockets.socket_folder(memory)

    assert second != first
    first.rmdir()


def test_a_system_that_was_never_started_does_not_run(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, tmp_path / "run")

    assert not supervisor.is_running()
    supervisor.shut_down()
