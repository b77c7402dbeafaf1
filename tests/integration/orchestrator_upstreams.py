"""What stands behind the orchestrator in its tests: a small Customers and Orders service.

It speaks real HTTP on a free loopback port and behaves as the contract says, idempotency keys
included; a test puts other answers, cut connections and silence in front of single calls.
"""

import json
import re
import socket
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

SERVICE_TOKEN = "the-service-token"

STEPS = {
    "customer": ("GET", re.compile(r"/internal/customers/(\d+)")),
    "create": ("POST", re.compile(r"/orders")),
    "confirm": ("POST", re.compile(r"/orders/(\d+)/confirm")),
    "cancel": ("POST", re.compile(r"/orders/(\d+)/cancel")),
}


@dataclass(frozen=True)
class Received:
    """A request as the services saw it."""

    step: str
    path: str
    headers: Mapping[str, str]
    body: Any
    connection: int


@dataclass(frozen=True)
class Says:
    """An answer."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    raw: bytes | None = None

    @property
    def data(self) -> bytes:
        return json.dumps(self.body).encode() if self.raw is None else self.raw


@dataclass(frozen=True)
class Acts:
    """The service does its work; what becomes of its answer is another matter."""

    loses_reply: bool = False
    hangs_up_after: bool = False
    stays_silent: bool = False


@dataclass(frozen=True)
class HangsUp:
    """The connection is cut and nothing was done."""


@dataclass(frozen=True)
class StaysSilent:
    """Nothing is done and nothing is said."""


Plan = Says | Acts | HangsUp | StaysSilent


def problem(status: int, code: str, **more: Any) -> Says:
    """Return a refusal in the services' own form."""
    body = {"status": status, "code": code, "detail": f"It is {code}.", **more}
    return Says(status, body, media_type="application/problem+json")


class BackOffice:
    """Customers and Orders, at one base URL."""

    def __init__(self) -> None:
        self.customers: dict[int, dict[str, str | None]] = {
            1: {"name": "ACME", "email": "ops@acme.com", "phone": "+1 555 0100"}
        }
        self.price_cents = 129900
        self.orders: dict[int, dict[str, Any]] = {}
        self.received: list[Received] = []
        self._first_responses: dict[str, tuple[int, Any]] = {}
        self._plans: dict[str, deque[Plan]] = defaultdict(deque)
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def plan(self, step: str, *plans: Plan) -> Self:
        """Say what the next calls of a step meet; those after them meet the service itself."""
        self._plans[step].extend(plans)
        return self

    def calls(self, step: str) -> list[Received]:
        return [request for request in self.received if request.step == step]

    def steps(self) -> list[str]:
        return [request.step for request in self.received]

    def keys(self, step: str) -> list[str]:
        return [request.headers["x-idempotency-key"] for request in self.calls(step)]

    def statuses(self) -> list[str]:
        return [order["status"] for order in self.orders.values()]

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    # What the connections' threads ask for.

    def next_plan(self, step: str) -> Plan:
        with self._lock:
            return self._plans[step].popleft() if self._plans[step] else Acts()

    def wait_until_stopped(self) -> None:
        self._released.wait(30)

    def act(self, request: Received, id_in_path: int) -> Says:
        if request.headers.get("authorization") != f"Bearer {SERVICE_TOKEN}":
            return problem(401, "UNAUTHORIZED")
        work: dict[str, Callable[[], Says]] = {
            "customer": lambda: self._customer(id_in_path),
            "create": lambda: self._once(request, lambda: self._create(request.body)),
            "confirm": lambda: self._once(request, lambda: self._confirm(id_in_path)),
            "cancel": lambda: self._cancel(id_in_path),
        }
        with self._lock:
            return work[request.step]()

    def _once(self, request: Received, act: Callable[[], Says]) -> Says:
        key = request.headers["x-idempotency-key"]
        if key in self._first_responses:
            status, body = self._first_responses[key]
            return Says(status, body, headers={"Idempotent-Replayed": "true"})
        reply = act()
        if reply.status < 400:
            self._first_responses[key] = (reply.status, json.loads(reply.data))
        return reply

    def _customer(self, customer_id: int) -> Says:
        if customer_id not in self.customers:
            return problem(404, "CUSTOMER_NOT_FOUND")
        times = {"created_at": "2026-01-31T12:00:00.000Z", "updated_at": "2026-01-31T12:00:00.000Z"}
        return Says(200, {"id": customer_id, **self.customers[customer_id], **times})

    def _create(self, body: Any) -> Says:
        order_id = 101 + len(self.orders)
        items = [
            {
                "product_id": item["product_id"],
                "qty": item["qty"],
                "unit_price_cents": self.price_cents,
                "subtotal_cents": self.price_cents * item["qty"],
            }
            for item in body["items"]
        ]
        self.orders[order_id] = {
            "id": order_id,
            "customer_id": body["customer_id"],
            "status": "CREATED",
            "total_cents": sum(item["subtotal_cents"] for item in items),
            "created_at": "2026-01-31T12:00:00.000Z",
            "confirmed_at": None,
            "canceled_at": None,
            "items": items,
        }
        return Says(201, self.orders[order_id], headers={"Location": f"/orders/{order_id}"})

    def _confirm(self, order_id: int) -> Says:
        if self.orders[order_id]["status"] != "CREATED":
            return problem(409, "ORDER_NOT_CONFIRMABLE")
        self.orders[order_id] |= {"status": "CONFIRMED", "confirmed_at": "2026-01-31T12:00:01.000Z"}
        return Says(200, self.orders[order_id])

    def _cancel(self, order_id: int) -> Says:
        self.orders[order_id]["status"] = "CANCELED"
        return Says(200, self.orders[order_id])


@contextmanager
def back_office() -> Iterator[BackOffice]:
    """Run the services."""
    services = BackOffice()
    services.start()
    try:
        yield services
    finally:
        services.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, services: BackOffice) -> None:
        self.services = services
        super().__init__(("127.0.0.1", 0), _Connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: connections are cut on purpose here."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def log_message(self, *_arguments: Any) -> None:
        """Leave standard error to the test."""

    def _handle(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        step, id_in_path = _step(self.command, self.path)
        request = Received(
            step=step,
            path=self.path,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=json.loads(data) if data else None,
            connection=self.client_address[1],
        )
        services = self.server.services
        services.received.append(request)
        plan = services.next_plan(step) if step else problem(404, "NOT_FOUND")
        reply = services.act(request, id_in_path) if isinstance(plan, Acts) else plan
        if isinstance(plan, StaysSilent) or (isinstance(plan, Acts) and plan.stays_silent):
            services.wait_until_stopped()
            self._hang_up()
        elif isinstance(plan, HangsUp) or (isinstance(plan, Acts) and plan.loses_reply):
            self._hang_up()
        elif isinstance(reply, Says):
            self._say(reply)
            if isinstance(plan, Acts) and plan.hangs_up_after:
                self._hang_up()

    def _say(self, reply: Says) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", reply.media_type)
        self.send_header("Content-Length", str(len(reply.data)))
        self.end_headers()
        self.wfile.write(reply.data)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


def _step(method: str, path: str) -> tuple[str, int]:
    for step, (step_method, pattern) in STEPS.items():
        match = pattern.fullmatch(path)
        if match and method == step_method:
            return step, int(match[1]) if match.groups() else 0
    return "", 0
