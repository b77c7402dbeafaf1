"""The server's own dump tool and client, wherever this machine has them."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from db import server_tools
from local_system import debian_packages
from local_system.failures import LocalSystemError
from local_system.progress import Silence
from tests.database_servers import MYSQL_IMAGE, TestDatabase
from tests.waiting import wait_until

_IN_CONTAINER = """#!/bin/sh
exec docker run --rm --interactive --network host --volume {folder}:{folder} \\
    --entrypoint {program} {image} "$@"
"""


_WAITING = """#!/bin/sh
[ "$1" = --version ] && exec echo MariaDB
touch {folder}/started
while [ ! -e {folder}/released ]; do sleep 0.05; done
"""


@dataclass(frozen=True, slots=True)
class Held:
    """A program that has nothing to do but to wait."""

    folder: Path

    def wait(self) -> None:
        """Return when the program runs."""
        wait_until((self.folder / "started").exists, "the program to run")

    def release(self) -> None:
        """Let the program end well."""
        (self.folder / "released").touch()


def provide_one_that_waits(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Held:
    """Put programs on the PATH, before all others, that wait until they are released."""
    programs = folder / "waiting"
    programs.mkdir()
    for program in ("mariadb-dump", "mysqldump", "mariadb", "mysql"):
        (programs / program).write_text(_WAITING.format(folder=folder))
        (programs / program).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    return Held(folder)


def provide(database: TestDatabase, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the programs that fit to the server on the PATH: Debian's, or those of MySQL's image."""
    ((version,),) = database.query("SELECT VERSION()")
    if "MariaDB" in str(version):
        _install(folder / "apt.log")
        return
    programs = folder / "bin"
    programs.mkdir()
    for program in ("mysqldump", "mysql"):
        text = _IN_CONTAINER.format(folder=folder, program=program, image=MYSQL_IMAGE)
        (programs / program).write_text(text)
        (programs / program).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    # Where the file with the password is written: the container must see it.
    monkeypatch.setattr("tempfile.tempdir", str(folder))


def _install(log: Path) -> None:
    if server_tools.find(server_tools.DUMP, for_mariadb=True) is None:
        try:
            package = (server_tools.PACKAGE,)
            debian_packages.install(package, "dump tool", "install it", log, Silence())
        except LocalSystemError as failure:
            pytest.skip(str(failure))
