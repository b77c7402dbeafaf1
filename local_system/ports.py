"""Ports: what is listened on, what is free, and what was chosen before."""

import random
import socket
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass

from local_system.failures import LocalSystemError

ADDRESS = "127.0.0.1"
GATEWAY_EMULATORS = 2

_CHOICE = range(20000, 32000)
"""Below the range from which the kernel takes the ports of outgoing connections (32768 and up on
Linux): a restarted process could find its port taken by one of those."""

USUAL = {"CUSTOMERS_PORT": 3001, "ORDERS_PORT": 3002, "GATEWAY_PORT": 3000, "RIE_PORT": 9000}
"""The ports of a system that nobody gave others."""
_LARGEST = 65535


@dataclass(frozen=True, slots=True)
class Ports:
    """Every port of one system, all on 127.0.0.1.

    ``emulators`` are the gateway's own; ``runtime_apis`` has one for each emulator, the one for
    ``curl`` last.
    """

    customers: int
    orders: int
    gateway: int
    rie: int
    mysql: int
    emulators: tuple[int, ...]
    runtime_apis: tuple[int, ...]

    def by_variable(self) -> list[tuple[str, int]]:
        """Return each port with the environment variable that changes it."""
        return [
            ("CUSTOMERS_PORT", self.customers),
            ("ORDERS_PORT", self.orders),
            ("GATEWAY_PORT", self.gateway),
            ("RIE_PORT", self.rie),
            ("MYSQL_PORT", self.mysql),
            *(("EMULATOR_PORT_BASE", port) for port in (*self.emulators, *self.runtime_apis)),
        ]

    def as_json(self) -> dict[str, object]:
        """Return the value that `from_json` takes."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> "Ports":
        """Return the ports of a remembered value.

        Raises:
            KeyError, TypeError: it is no such value.
        """
        return cls(
            customers=_number(value["customers"]),
            orders=_number(value["orders"]),
            gateway=_number(value["gateway"]),
            rie=_number(value["rie"]),
            mysql=_number(value["mysql"]),
            emulators=_numbers(value["emulators"]),
            runtime_apis=_numbers(value["runtime_apis"]),
        )

    @classmethod
    def free(cls) -> "Ports":
        """Return ports that nobody listens on, for a system beside others."""
        customers, orders, gateway, rie, mysql, *rest = free_ports(5 + 2 * GATEWAY_EMULATORS + 1)
        emulators, runtime_apis = rest[:GATEWAY_EMULATORS], rest[GATEWAY_EMULATORS:]
        return cls(customers, orders, gateway, rie, mysql, tuple(emulators), tuple(runtime_apis))


def choose(
    given: Mapping[str, str],
    files: Mapping[str, str],
    remembered: Ports | None,
    *,
    is_embedded: bool,
) -> Ports:
    """Return the ports to start with: the caller's variables, else the files', else the defaults.

    Internal ones that the caller does not name are those of last time while they are free, else
    free ones.

    Raises:
        LocalSystemError: a variable is no port.
    """
    public = {
        name: port_number(name, given.get(name) or files.get(name) or str(default))
        for name, default in USUAL.items()
    }
    free = Ports.free()
    last = remembered or free
    emulators, runtime_apis = last.emulators, last.runtime_apis
    if given.get("EMULATOR_PORT_BASE"):
        base = port_number("EMULATOR_PORT_BASE", given["EMULATOR_PORT_BASE"])
        emulators = tuple(range(base, base + GATEWAY_EMULATORS))
        runtime_apis = tuple(range(base + GATEWAY_EMULATORS, base + 2 * GATEWAY_EMULATORS + 1))
    elif not all(map(is_free, (*emulators, *runtime_apis))):
        emulators, runtime_apis = free.emulators, free.runtime_apis
    mysql = _embedded_port(given, files, last, free) if is_embedded else _server_port(given, files)
    return Ports(
        customers=public["CUSTOMERS_PORT"],
        orders=public["ORDERS_PORT"],
        gateway=public["GATEWAY_PORT"],
        rie=public["RIE_PORT"],
        mysql=mysql,
        emulators=emulators,
        runtime_apis=runtime_apis,
    )


def check_free(wanted: Iterable[tuple[str, int]]) -> None:
    """Refuse to start on a port that is taken, by another program or by two of ours.

    Raises:
        LocalSystemError: names the port and the variable by which it is changed.
    """
    owners: dict[int, str] = {}
    for variable, port in wanted:
        if port in owners:
            raise LocalSystemError(
                f"{owners[port]} and {variable} are both {port}: change one of them"
            )
        owners[port] = variable
        if not is_free(port):
            raise LocalSystemError(
                f"port {port} is taken by another program: stop that one, or choose another port: "
                f"{variable}=<port> scripts/up"
            )


def is_free(port: int) -> bool:
    """Say whether this machine lets a new server listen on the port."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        # A server that has just stopped leaves closed connections behind: they are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
            probe.listen(1)
        except OSError:
            return False
        return True


def is_answering(port: int, host: str = ADDRESS, timeout_seconds: float = 1.0) -> bool:
    """Say whether something accepts connections on the port."""
    try:
        with socket.create_connection((host, port), timeout=timeout_seconds):
            return True
    except OSError:
        return False


def free_ports(count: int) -> list[int]:
    """Return different ports that nobody listens on."""
    # Random, so that two that choose at the same moment are unlikely to choose the same.
    candidates = random.SystemRandom().sample(_CHOICE, len(_CHOICE))
    found = []
    for port in candidates:
        if is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise LocalSystemError("no free port was found between 20000 and 31999")


def port_number(variable: str, text: str) -> int:
    """Return the port that a variable names.

    Raises:
        LocalSystemError: it is none.
    """
    if text.isascii() and text.isdigit() and 1 <= int(text) <= _LARGEST:
        return int(text)
    raise LocalSystemError(f"{variable} must be a port from 1 to {_LARGEST}, not {text!r}")


def _embedded_port(
    given: Mapping[str, str], files: Mapping[str, str], last: Ports, free: Ports
) -> int:
    if given.get("MYSQL_PORT"):
        return port_number("MYSQL_PORT", given["MYSQL_PORT"])
    liked = [port_number("MYSQL_PORT", files["MYSQL_PORT"])] if files.get("MYSQL_PORT") else []
    return next(filter(is_free, (*liked, last.mysql)), free.mysql)


def _server_port(given: Mapping[str, str], files: Mapping[str, str]) -> int:
    # A port in a file belongs to the host in that file, not to one that the caller names.
    of_file = "" if given.get("MYSQL_HOST") else files.get("MYSQL_PORT", "")
    return port_number("MYSQL_PORT", given.get("MYSQL_PORT") or of_file or "3306")


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError("not a port")
    return value


def _numbers(value: object) -> tuple[int, ...]:
    if not isinstance(value, list | tuple):
        raise TypeError("not a list of ports")
    return tuple(map(_number, value))
