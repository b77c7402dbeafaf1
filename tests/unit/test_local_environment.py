"""The `.env` files: made once, of one piece, for their owner alone."""

import shutil
import stat
from pathlib import Path

import pytest

from local_system import environment
from local_system.environment import SERVICES, Values, example_file
from local_system.failures import LocalSystemError

REPOSITORY = Path(__file__).resolve().parents[2]

LOCAL = {"customers_api": {"BIND_ADDRESS": "127.0.0.1"}, "db": {"MYSQL_HOST": ""}}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for folder in SERVICES:
        (tmp_path / folder).mkdir()
        shutil.copy(example_file(REPOSITORY, folder), example_file(tmp_path, folder))
    return tmp_path


def examples() -> Values:
    return {folder: environment.read(example_file(REPOSITORY, folder)) for folder in SERVICES}


def test_every_service_gets_its_file_with_the_same_variables_as_its_example(clone: Path) -> None:
    created = environment.create_files(clone, LOCAL)

    assert created == [clone / folder / ".env" for folder in SERVICES]
    for folder, variables in environment.read_all(clone).items():
        assert variables.keys() == examples()[folder].keys()


def test_only_the_owner_can_read_the_files(clone: Path) -> None:
    for file in environment.create_files(clone, LOCAL):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_files_fit_together(clone: Path) -> None:
    environment.create_files(clone, LOCAL)

    values = environment.read_all(clone)
    assert environment.disagreements(values) == []
    assert values["gateway"]["JWT_SECRET"] == values["customers_api"]["JWT_SECRET"]
    assert values["db"]["ORDERS_MYSQL_PASSWORD"] == values["orders_api"]["MYSQL_PASSWORD"]


def test_the_examples_fit_together_too() -> None:
    assert environment.disagreements(examples()) == []


def test_no_secret_of_an_example_is_used(clone: Path) -> None:
    environment.create_files(clone, LOCAL)

    values = environment.read_all(clone)
    for secret in environment.SECRETS:
        for folder, variable in secret.places:
            assert values[folder][variable] != examples()[folder][variable]
            assert len(values[folder][variable]) >= 32


def test_different_secrets_are_different(clone: Path) -> None:
    values = environment.fresh(clone, LOCAL, {})

    first_places = [secret.places[0] for secret in environment.SECRETS]
    found = [values[folder][variable] for folder, variable in first_places]
    assert len(set(found)) == len(found)


def test_local_addresses_take_the_place_of_the_containers_names(clone: Path) -> None:
    environment.create_files(clone, LOCAL)

    values = environment.read_all(clone)
    assert values["customers_api"]["BIND_ADDRESS"] == "127.0.0.1"
    assert values["db"]["MYSQL_HOST"] == ""


def test_the_comments_that_explain_the_variables_are_kept(clone: Path) -> None:
    environment.create_files(clone, LOCAL)

    def comments(file: Path) -> list[str]:
        return [line for line in file.read_text().splitlines() if line.startswith("#")]

    assert comments(clone / "db/.env") == comments(clone / "db/.env.example")


def test_a_file_that_is_there_is_never_changed(clone: Path) -> None:
    mine = "JWT_SECRET=mine-mine-mine-mine-mine-mine-mine\n"
    (clone / "gateway/.env").write_text(mine)

    created = environment.create_files(clone, LOCAL)

    assert clone / "gateway/.env" not in created
    assert (clone / "gateway/.env").read_text() == mine
    assert environment.create_files(clone, LOCAL) == []


def test_new_files_take_over_the_secrets_of_those_that_are_there(clone: Path) -> None:
    environment.create_files(clone, LOCAL)
    before = environment.read_all(clone)
    (clone / "gateway/.env").unlink()
    (clone / "db/.env").unlink()

    environment.create_files(clone, LOCAL)

    after = environment.read_all(clone)
    assert after["gateway"] == before["gateway"]
    assert after["db"]["CUSTOMERS_MYSQL_PASSWORD"] == before["customers_api"]["MYSQL_PASSWORD"]


def test_a_secret_of_ones_own_is_taken_over_whatever_characters_it_has(clone: Path) -> None:
    environment.create_files(clone, LOCAL)
    mine = r"it's \ mine # $HOME \n"
    (clone / "db/.env").write_text(f"CUSTOMERS_MYSQL_PASSWORD={environment.quoted(mine)}\n")
    (clone / "customers_api/.env").unlink()

    environment.create_files(clone, LOCAL)

    values = environment.read_all(clone)
    assert values["db"]["CUSTOMERS_MYSQL_PASSWORD"] == mine
    assert values["customers_api"]["MYSQL_PASSWORD"] == mine


def test_files_that_do_not_fit_together_are_named(clone: Path) -> None:
    values = environment.fresh(clone, LOCAL, {})
    values["orders_api"]["MYSQL_PASSWORD"] = "another"

    with pytest.raises(LocalSystemError, match=r"orders_api/\.env MYSQL_PASSWORD"):
        environment.check_agreement(values)


def test_a_secret_may_be_rotated_by_naming_the_old_one_second(clone: Path) -> None:
    values = environment.fresh(clone, LOCAL, {})
    old = values["customers_api"]["JWT_SECRET"]
    for folder in ("orders_api", "gateway", "orchestrator_image"):
        values[folder]["JWT_SECRET"] = f"new-new-new-new-new-new-new-new-new, {old}"

    assert environment.disagreements(values) == []


def test_a_value_with_special_characters_is_read_as_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("PASSWORD='a $HOME #b'\nEMPTY=\nNAME\n")

    assert environment.read(file) == {"PASSWORD": "a $HOME #b", "EMPTY": "", "NAME": ""}
