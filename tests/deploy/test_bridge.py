"""Ways from containers to services of this machine, and addresses that need none."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from deployment.bridge import is_loopback, reachable
from local_system.ports import ADDRESS


@pytest.mark.parametrize(
    ("url", "is_here"),
    [
        ("http://127.0.0.1:3001", True),
        ("http://127.8.8.8", True),
        ("http://[::1]:3001", True),
        ("http://localhost:3001/base", True),
        ("http://customers.localhost:3001", True),
        ("https://orders.example", False),
        ("http://192.0.2.7:3002", False),
        ("http://localhost.example", False),
    ],
)
def test_an_address_on_loopback_is_told_from_others(url: str, *, is_here: bool) -> None:
    assert is_loopback(url) is is_here


def test_an_address_elsewhere_stays_as_it_is() -> None:
    elsewhere = ["https://orders.example/base", "http://192.0.2.7"]

    with reachable(elsewhere, ADDRESS) as urls:
        assert urls == elsewhere


@contextmanager
def saying(name: bytes) -> Iterator[str]:
    """Listen on loopback and greet whoever comes by the name; yield the URL."""

    class Greeter(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(name)

    with socketserver.ThreadingTCPServer((ADDRESS, 0), Greeter) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://{ADDRESS}:{server.server_address[1]}/base"
        server.shutdown()
        thread.join()


def heard_at(url: str) -> bytes:
    with socket.create_connection((ADDRESS, urlsplit(url).port or 0)) as connection:
        return connection.recv(100)


def test_each_address_on_loopback_is_reached_by_a_port_of_its_own() -> None:
    elsewhere = "https://elsewhere.example"
    with saying(b"customers") as customers, saying(b"orders") as orders:
        here = [customers, elsewhere, orders]

        with reachable(here, ADDRESS) as urls:
            heard = [heard_at(urls[0]), heard_at(urls[2])]

    assert heard == [b"customers", b"orders"]
    assert urls[1] == elsewhere
    assert [urlsplit(url).path for url in urls] == ["/base", "", "/base"]
    assert {*urls} & {*here} == {elsewhere}
