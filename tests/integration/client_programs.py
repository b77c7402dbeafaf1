"""The server's own dump tool and client, wherever this machine has them."""

from pathlib import Path

import pytest

from db import server_tools
from local_system import debian_packages
from local_system.failures import LocalSystemError
from local_system.progress import Silence
from tests.database_servers import MYSQL_IMAGE, TestDatabase

_IN_CONTAINER = """#!/bin/sh
exec docker run --rm --interactive --network host --volume {folder}:{folder} \\
    --entrypoint {program} {image} "$@"
"""


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
