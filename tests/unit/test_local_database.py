"""The embedded database: how its folder is made, and what is never on its command line."""

import json
import stat
from pathlib import Path

import pytest

from local_system.database import EmbeddedDatabase
from local_system.database_binaries import Binaries
from local_system.failures import LocalSystemError

INITIALISER = """#!/bin/sh
for argument; do case $argument in --datadir=*) folder=${argument#--datadir=};; esac; done
mkdir "$folder" || exit 1
echo half > "$folder/tables"
[ ! -e "%s" ] || exit 1
echo whole > "$folder/tables"
"""


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Return the file that makes the initialiser fail half-way while it exists."""
    return tmp_path / "broken"


@pytest.fixture
def database(tmp_path: Path, broken: Path) -> EmbeddedDatabase:
    initialiser = tmp_path / "initialise"
    initialiser.write_text(INITIALISER % broken)
    initialiser.chmod(0o755)
    binaries = Binaries("mariadb", Path("/usr/sbin/mariadbd"), initialiser)
    folder = tmp_path / "data base"
    return EmbeddedDatabase(folder, tmp_path / "mysql.sock", 23306, binaries)


def prepare(database: EmbeddedDatabase, password: str = "") -> None:
    database.prepare("root", password, database.folder / "log")


def test_the_data_folder_is_made_once(database: EmbeddedDatabase) -> None:
    prepare(database)
    (database.data / "mine").write_text("kept")
    prepare(database)

    assert (database.data / "mine").read_text() == "kept"


def test_an_initialisation_that_was_broken_off_is_begun_again(
    database: EmbeddedDatabase, broken: Path
) -> None:
    broken.touch()
    with pytest.raises(LocalSystemError, match=r"cannot be made: see .*log"):
        prepare(database)
    assert not database.data.exists()

    broken.unlink()
    prepare(database)

    assert (database.data / "tables").read_text() == "whole\n"


def test_the_administrators_password_is_in_a_private_file_and_on_no_command_line(
    database: EmbeddedDatabase,
) -> None:
    prepare(database, r"it's \ a secret")

    init_file = database.folder / "init.sql"
    assert stat.S_IMODE(init_file.stat().st_mode) == 0o600
    assert r"IDENTIFIED BY 'it\'s \\ a secret';" in init_file.read_text()
    assert not [part for part in database.command() if "secret" in part]


def test_a_new_password_is_taken_over_at_the_next_start(database: EmbeddedDatabase) -> None:
    prepare(database, "old")
    prepare(database, "new")

    text = (database.folder / "init.sql").read_text()
    assert "'new'" in text
    assert "'old'" not in text


def test_it_listens_on_this_machine_alone(database: EmbeddedDatabase) -> None:
    assert {"--bind-address=127.0.0.1", "--port=23306"} <= set(database.command())


def test_it_is_durable_unless_a_test_gives_that_up(database: EmbeddedDatabase) -> None:
    assert "--innodb-flush-log-at-trx-commit=1" in database.command()


def test_the_data_of_another_kind_of_server_are_refused_with_the_remedy(
    database: EmbeddedDatabase,
) -> None:
    prepare(database)
    (database.folder / "made-by.json").write_text(json.dumps({"flavour": "mysql"}))

    with pytest.raises(LocalSystemError, match="scripts/down --wipe"):
        prepare(database)
