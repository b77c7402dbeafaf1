"""Which ports a system takes, and what it says of a port that it cannot have."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from local_system import ports
from local_system.failures import LocalSystemError
from local_system.memory import Memory
from local_system.ports import Ports


@contextmanager
def listening() -> Iterator[int]:
    with closing(socket.socket()) as server:
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        yield server.getsockname()[1]


def test_a_plain_start_takes_the_ports_of_the_contract() -> None:
    chosen = ports.choose({}, {}, None, is_embedded=True)

    assert (chosen.gateway, chosen.customers, chosen.orders, chosen.rie) == (3000, 3001, 3002, 9000)


def test_the_environment_wins_over_the_file_and_the_file_over_the_default() -> None:
    files = {"GATEWAY_PORT": "4000", "ORDERS_PORT": "4002"}

    chosen = ports.choose({"GATEWAY_PORT": "5000"}, files, None, is_embedded=True)

    assert (chosen.gateway, chosen.orders, chosen.customers) == (5000, 4002, 3001)


def test_an_empty_variable_counts_as_none() -> None:
    assert ports.choose({"RIE_PORT": ""}, {}, None, is_embedded=True).rie == 9000


def test_internal_ports_are_free_different_and_below_the_kernels_own() -> None:
    chosen = Ports.free()

    every = [port for _, port in chosen.by_variable()]
    assert len(set(every)) == len(every) == 10
    assert all(20000 <= port < 32000 for port in every)
    ports.check_free(chosen.by_variable())


def test_internal_ports_of_last_time_are_taken_again() -> None:
    last = Ports.free()

    chosen = ports.choose({}, {}, last, is_embedded=True)

    assert chosen.mysql == last.mysql
    assert (chosen.emulators, chosen.runtime_apis) == (last.emulators, last.runtime_apis)


def test_internal_ports_that_are_taken_meanwhile_are_replaced() -> None:
    with listening() as taken:
        last = replace(Ports.free(), mysql=taken, emulators=(taken, taken + 1))

        chosen = ports.choose({}, {}, last, is_embedded=True)

        assert taken not in {chosen.mysql, *chosen.emulators}


def test_the_emulators_ports_can_be_given_by_their_first() -> None:
    chosen = ports.choose({"EMULATOR_PORT_BASE": "25000"}, {}, None, is_embedded=True)

    assert chosen.emulators == (25000, 25001)
    assert chosen.runtime_apis == (25002, 25003, 25004)


def test_the_embedded_databases_port_is_the_callers_else_the_files() -> None:
    (free,) = ports.free_ports(1)
    files = {"MYSQL_PORT": str(free)}

    assert ports.choose({}, files, None, is_embedded=True).mysql == free
    assert ports.choose({"MYSQL_PORT": "3399"}, files, None, is_embedded=True).mysql == 3399


def test_a_given_server_is_at_the_usual_port_unless_its_own_is_given() -> None:
    files = {"MYSQL_PORT": "24444"}
    host = {"MYSQL_HOST": "example"}

    assert ports.choose(host, files, None, is_embedded=False).mysql == 3306
    assert ports.choose({**host, "MYSQL_PORT": "1"}, files, None, is_embedded=False).mysql == 1
    assert ports.choose({}, files, None, is_embedded=False).mysql == 24444


@pytest.mark.parametrize("text", ["0", "65536", "-1", "http", "3000 ", "٣"])
def test_what_is_no_port_is_refused_with_its_variable(text: str) -> None:
    with pytest.raises(LocalSystemError, match="ORDERS_PORT must be a port"):
        ports.choose({"ORDERS_PORT": text}, {}, None, is_embedded=True)


def test_a_taken_port_is_refused_with_the_variable_that_changes_it() -> None:
    with (
        listening() as taken,
        pytest.raises(LocalSystemError, match=rf"port {taken} is taken .* CUSTOMERS_PORT="),
    ):
        ports.check_free([("CUSTOMERS_PORT", taken)])


def test_one_port_for_two_programs_is_refused() -> None:
    (free,) = ports.free_ports(1)

    with pytest.raises(LocalSystemError, match="CUSTOMERS_PORT and ORDERS_PORT are both"):
        ports.check_free([("CUSTOMERS_PORT", free), ("ORDERS_PORT", free)])


def test_what_a_run_folder_remembers_is_read_again(tmp_path: Path) -> None:
    memory = Memory(Ports.free(), "127.0.0.1", 3306, True, "2026-01-02T03:04:05Z")

    memory.write(tmp_path)

    assert Memory.read(tmp_path) == memory


@pytest.mark.parametrize("text", ["", "{", "[]", '{"ports": {"customers": "x"}}', "null"])
def test_a_damaged_memory_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "system.json").write_text(text)

    assert Memory.read(tmp_path) is None
