"""Which variables reach a program: the file's, then this system's addresses, then the caller's."""

from pathlib import Path

import pytest

from local_system.construction import temporary_system
from local_system.database import DatabaseServer
from local_system.processes import MARK

SERVER = DatabaseServer("db.example", 3307, "admin", "admin-password")


def test_a_service_is_told_where_the_others_listen(tmp_path: Path) -> None:
    system = temporary_system(tmp_path)

    gateway = system.environment("gateway")

    assert gateway["GATEWAY_PORT"] == str(system.ports.gateway)
    assert gateway["CUSTOMERS_API_BASE"] == system.customers_url
    assert gateway["ORDERS_API_BASE"] == system.orders_url
    first, second = system.ports.emulators
    assert gateway["LAMBDA_ENDPOINTS"] == f"http://127.0.0.1:{first},http://127.0.0.1:{second}"


def test_a_variable_of_the_caller_wins_in_every_service_that_has_it(tmp_path: Path) -> None:
    system = temporary_system(tmp_path, {"CANCEL_WINDOW_SECONDS": "2", "LOG_LEVEL": "ERROR"})

    assert system.environment("orders_api")["CANCEL_WINDOW_SECONDS"] == "2"
    assert system.environment("customers_api")["LOG_LEVEL"] == "ERROR"
    assert "CANCEL_WINDOW_SECONDS" not in system.environment("customers_api")


def test_an_address_of_the_caller_wins_over_this_systems_own(tmp_path: Path) -> None:
    system = temporary_system(tmp_path, {"CUSTOMERS_API_BASE": "http://127.0.0.1:1"})

    assert system.environment("orders_api")["CUSTOMERS_API_BASE"] == "http://127.0.0.1:1"


def test_what_a_service_does_not_know_is_kept_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOMEBODYS_PASSWORD", "secret")
    system = temporary_system(tmp_path, {"OTHER": "x"})

    environment = system.environment("customers_api")

    assert "SOMEBODYS_PASSWORD" not in environment
    assert "OTHER" not in environment
    assert environment["PATH"]


def test_every_program_carries_the_mark_of_its_system(tmp_path: Path) -> None:
    system = temporary_system(tmp_path)

    for folder in ("customers_api", "orders_api", "orchestrator_image", "gateway", "db"):
        assert system.environment(folder)[MARK] == str(tmp_path.resolve())


def test_services_connect_with_the_accounts_that_the_set_up_makes(tmp_path: Path) -> None:
    given = {"ACCOUNT_SUFFIX": "_t1", "MYSQL_DATABASE": "test_1", "ORDERS_MYSQL_PASSWORD": "mine"}
    system = temporary_system(tmp_path, given, SERVER)

    orders, db = system.environment("orders_api"), system.environment("db")

    assert orders["MYSQL_USER"] == "orders_service_t1"
    assert orders["MYSQL_PASSWORD"] == db["ORDERS_MYSQL_PASSWORD"] == "mine"
    assert orders["MYSQL_DATABASE"] == db["MYSQL_DATABASE"] == "test_1"
    assert (orders["MYSQL_HOST"], orders["MYSQL_PORT"]) == ("db.example", "3307")
    assert db["ACCOUNT_SUFFIX"] == "_t1"


def test_the_administrators_password_reaches_the_set_up_alone(tmp_path: Path) -> None:
    system = temporary_system(tmp_path, {}, SERVER)

    assert system.environment("db")["MYSQL_ADMIN_PASSWORD"] == "admin-password"
    for folder in ("customers_api", "orders_api", "orchestrator_image", "gateway"):
        assert "admin-password" not in system.environment(folder).values()


def test_two_temporary_systems_share_no_port_and_no_secret(tmp_path: Path) -> None:
    one, two = temporary_system(tmp_path / "one"), temporary_system(tmp_path / "two")

    assert one.values["gateway"]["JWT_SECRET"] != two.values["gateway"]["JWT_SECRET"]
    assert one.run_dir != two.run_dir
