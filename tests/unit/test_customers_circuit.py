"""The circuit of calls to the Customers API: when it opens, who is let through, when it closes."""

import asyncio
from collections.abc import Awaitable, Callable

import circuitbreaker
import pytest
import structlog

from orders_api.circuit import Circuit
from orders_api.problems import CustomerNotFound, CustomersUnavailable
from service_kit.metrics import Metrics
from tests.standing_clock import Clock

FAILURES = 3
OPEN_SECONDS = 10

Call = Callable[[], Awaitable[None]]


class Customers:
    """What the calls meet; it counts them."""

    def __init__(self, circuit: Circuit) -> None:
        self._circuit = circuit
        self.asked = 0
        self.outcome: Exception | None = None
        self.answers = asyncio.Event()
        self.answers.set()

    async def is_asked(self) -> None:
        self.asked += 1
        outcome = self.outcome
        await self.answers.wait()
        if outcome is not None:
            raise outcome

    async def tells(self) -> str:
        """Make a call through the circuit; return what its caller hears."""
        try:
            await self._circuit.run(self.is_asked)
        except CustomersUnavailable as problem:
            return f"unavailable, {problem.headers['Retry-After']} s"
        except CustomerNotFound:
            return "not found"
        return "found"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The breaker's."""
    clock = Clock()
    monkeypatch.setattr(circuitbreaker, "monotonic", lambda: clock.seconds)
    return clock


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def customers(clock: Clock, metrics: Metrics) -> Customers:
    del clock
    return Customers(Circuit(FAILURES, OPEN_SECONDS, metrics))


async def fail(customers: Customers, times: int) -> None:
    customers.outcome = CustomersUnavailable()
    for _ in range(times):
        await customers.tells()
    customers.outcome = None


async def test_it_opens_after_so_many_failures_in_a_row(customers: Customers) -> None:
    await fail(customers, FAILURES - 1)
    assert await customers.tells() == "found"
    await fail(customers, FAILURES - 1)
    assert await customers.tells() == "found", "a success between them starts the count anew"

    await fail(customers, FAILURES)

    asked = customers.asked
    assert await customers.tells() == "unavailable, 10 s"
    assert customers.asked == asked


async def test_no_such_customer_is_an_answer_and_no_failure(customers: Customers) -> None:
    await fail(customers, FAILURES - 1)
    customers.outcome = CustomerNotFound()
    assert await customers.tells() == "not found"

    for _ in range(10 * FAILURES):
        assert await customers.tells() == "not found"


async def test_while_it_is_open_the_refusal_says_how_much_longer(
    customers: Customers, clock: Clock
) -> None:
    await fail(customers, FAILURES)

    clock.seconds += 7.5
    assert await customers.tells() == "unavailable, 3 s"
    clock.seconds += 2.4
    assert await customers.tells() == "unavailable, 1 s"
    clock.seconds += 0.1
    assert await customers.tells() == "found"


async def test_a_success_after_the_time_closes_it(customers: Customers, clock: Clock) -> None:
    await fail(customers, FAILURES)
    clock.seconds += OPEN_SECONDS

    assert await customers.tells() == "found"

    await fail(customers, FAILURES - 1)
    assert await customers.tells() == "found", "the count starts anew"


async def test_no_such_customer_closes_it_as_well(customers: Customers, clock: Clock) -> None:
    await fail(customers, FAILURES)
    clock.seconds += OPEN_SECONDS
    customers.outcome = CustomerNotFound()

    assert await customers.tells() == "not found"

    customers.outcome = None
    assert await customers.tells() == "found"


async def test_a_failure_after_the_time_opens_it_again(customers: Customers, clock: Clock) -> None:
    await fail(customers, FAILURES)
    clock.seconds += OPEN_SECONDS

    await fail(customers, 1)

    assert await customers.tells() == "unavailable, 10 s"


async def test_one_call_at_a_time_finds_out_and_the_others_do_not_wait_for_it(
    customers: Customers, clock: Clock
) -> None:
    await fail(customers, FAILURES)
    clock.seconds += OPEN_SECONDS
    asked = customers.asked
    customers.answers.clear()
    probe = asyncio.create_task(customers.tells())
    await asyncio.sleep(0)

    crowd = [await customers.tells() for _ in range(20)]

    assert set(crowd) == {"unavailable, 1 s"}
    customers.answers.set()
    assert await probe == "found"
    assert await customers.tells() == "found"
    assert customers.asked == asked + 2


async def test_a_probe_that_is_cancelled_tells_nothing_and_leaves_room_for_the_next(
    customers: Customers, clock: Clock
) -> None:
    await fail(customers, FAILURES)
    clock.seconds += OPEN_SECONDS
    customers.answers.clear()
    probe = asyncio.create_task(customers.tells())
    await asyncio.sleep(0)
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    customers.answers.set()

    await fail(customers, 1)

    assert await customers.tells() == "unavailable, 10 s", "the cancelled one did not close it"


@pytest.mark.parametrize("outcome", [None, CustomersUnavailable()], ids=["success", "failure"])
async def test_what_began_before_it_opened_changes_nothing(
    customers: Customers, clock: Clock, outcome: Exception | None
) -> None:
    customers.outcome = outcome
    held_back = customers.answers = asyncio.Event()
    old = asyncio.create_task(customers.tells())
    await asyncio.sleep(0)
    customers.answers = asyncio.Event()
    customers.answers.set()
    await fail(customers, FAILURES)
    clock.seconds += 6
    held_back.set()
    await old

    assert await customers.tells() == "unavailable, 4 s"


async def test_changes_are_logged_once_and_the_state_is_a_metric(
    customers: Customers, clock: Clock, metrics: Metrics
) -> None:
    def is_open() -> bool:
        return b"\ncustomers_circuit_open 1.0\n" in metrics.exposition()

    with structlog.testing.capture_logs() as lines:
        await customers.tells()
        assert not is_open()
        await fail(customers, FAILURES + 5)
        assert is_open()
        clock.seconds += OPEN_SECONDS
        await customers.tells()
        await customers.tells()
        assert not is_open()

    assert [(line["log_level"], line["event"]) for line in lines] == [
        ("error", "customers circuit opened"),
        ("info", "customers circuit half-open"),
        ("info", "customers circuit closed"),
    ]
    assert b"\ncustomers_circuit_refusals_total 5.0\n" in metrics.exposition()
