"""The pool of emulators, each of which dies of two invocations at once."""

import asyncio
import time
from collections.abc import Iterator

import aiohttp
import pytest
from tornado.ioloop import IOLoop

from gateway.emulator import INVOCATIONS
from tests.apis import Answer, Api
from tests.integration.gateway_calls import (
    ORCHESTRATION,
    Client,
    System,
    a_system,
    impatient_with_emulators,
    metric,
    until,
)
from tests.integration.gateway_emulators import FakeEmulator, exits, waits_for
from tests.integration.gateway_peers import cuts, stays_silent


@pytest.fixture
def pair(io_loop: IOLoop, session: aiohttp.ClientSession) -> Iterator[System]:
    with a_system(io_loop, session, emulators=2) as system:
        yield system


async def an_order(gateway: Api, key: str = "k") -> Answer:
    return await gateway.post(ORCHESTRATION, {"idempotency_key": key})


def failure(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json["error"]["code"]


async def under_way(system: System, requests: int) -> None:
    """Wait until so many requests are under way at the gateway."""
    await until(lambda: system.application.requests_under_way == requests)


async def emulators_alive(gateway: Api, number: int) -> None:
    """Wait until so many emulators are taken in."""
    async with asyncio.timeout(5):
        while await gauge(gateway, "emulators_alive") != number:
            pass


async def gauge(gateway: Api, name: str) -> float:
    return metric((await gateway.get("/metrics")).body, name)


async def test_sixty_calls_at_once_go_to_two_emulators_one_by_one(pair: System) -> None:
    gateway = await pair.gateway()
    for emulator in pair.emulators:
        emulator.seconds = 0.005

    answers = await asyncio.gather(*(an_order(gateway, f"k{n}") for n in range(60)))

    assert [answer.status for answer in answers] == [201] * 60
    assert [emulator.deaths for emulator in pair.emulators] == [0, 0]
    shares = [len(emulator.events) for emulator in pair.emulators]
    assert sum(shares) == 60
    assert min(shares) > 20
    assert await gauge(gateway, "invocations_repeated_total") == 0


async def test_waiting_calls_are_served_in_the_order_in_which_they_came(system: System) -> None:
    gateway = await system.gateway()
    done = asyncio.Event()
    system.emulator.plan(waits_for(done))
    clients = []
    for number in range(5):
        body = b'{"idempotency_key": "%d"}' % number
        clients.append(await Client.sends(gateway, "POST", ORCHESTRATION, body))
        await under_way(system, number + 1)
    done.set()
    await until(lambda: len(system.emulator.events) == 5)

    bodies = [event["body"] for event in system.emulator.events]
    assert bodies == [f'{{"idempotency_key": "{number}"}}' for number in range(5)]
    for client in clients:
        client.leaves()


async def test_a_call_that_finds_the_line_full_is_sent_away_at_once(system: System) -> None:
    gateway = await system.gateway()
    done = asyncio.Event()
    system.emulator.plan(waits_for(done))
    calls = [asyncio.create_task(an_order(gateway)) for _ in range(101)]
    await under_way(system, 101)
    assert await gauge(gateway, "invocations_waiting") == 100

    began = time.monotonic()
    answer = await an_order(gateway)

    assert failure(answer) == (503, "BUSY")
    assert answer.headers["Retry-After"] == "1"
    assert time.monotonic() - began < 1
    done.set()
    assert [answer.status for answer in await asyncio.gather(*calls)] == [201] * 101
    assert await gauge(gateway, "invocations_waiting") == 0


async def test_a_call_does_not_wait_for_ever(system: System) -> None:
    gateway = await system.gateway(impatient_with_emulators(wait=0.1))
    done = asyncio.Event()
    system.emulator.plan(waits_for(done))
    first = asyncio.create_task(an_order(gateway))
    await until(lambda: system.emulator.events)

    answer = await an_order(gateway)

    assert failure(answer) == (503, "BUSY")
    assert answer.headers["Retry-After"] == "1"
    done.set()
    assert (await first).status == 201
    assert len(system.emulator.events) == 1
    assert (await an_order(gateway)).status == 201


async def test_a_client_that_leaves_leaves_the_line(system: System) -> None:
    gateway = await system.gateway()
    done = asyncio.Event()
    system.emulator.plan(waits_for(done))
    first = asyncio.create_task(an_order(gateway))
    await until(lambda: system.emulator.events)
    client = await Client.sends(gateway, "POST", ORCHESTRATION, b'{"idempotency_key": "gone"}')
    await under_way(system, 2)

    client.leaves()

    await under_way(system, 1)
    assert await gauge(gateway, "invocations_waiting") == 0
    done.set()
    assert (await first).status == 201
    assert (await an_order(gateway, "next")).status == 201
    assert len(system.emulator.events) == 2


async def test_a_client_that_leaves_its_invocation_leaves_the_place_busy(system: System) -> None:
    gateway = await system.gateway()
    done = asyncio.Event()
    system.emulator.plan(waits_for(done))
    client = await Client.sends(gateway, "POST", ORCHESTRATION, b"{}")
    await until(lambda: system.emulator.events)
    client.leaves()
    await under_way(system, 0)

    call = asyncio.create_task(an_order(gateway))
    await under_way(system, 1)
    assert await gauge(gateway, "emulators_busy") == 1
    assert len(system.emulator.events) == 1

    done.set()
    assert (await call).status == 201
    assert system.emulator.deaths == 0


async def test_a_client_is_not_kept_longer_than_the_function_may_take(system: System) -> None:
    patience = impatient_with_emulators(margin=0.1)
    gateway = await system.gateway(patience, function_seconds=0.1)
    done = asyncio.Event()
    system.emulator.plan(waits_for(done))

    answer = await an_order(gateway)

    assert failure(answer) == (504, "UPSTREAM_TIMEOUT")
    assert answer.headers["Retry-After"] == "1"
    assert await gauge(gateway, "emulators_busy") == 1
    # The next one waits until the first is answered.
    call = asyncio.create_task(an_order(gateway))
    await under_way(system, 1)
    done.set()
    assert (await call).status == 201
    assert system.emulator.deaths == 0


async def test_a_late_invocation_whose_emulator_dies_frees_the_place(system: System) -> None:
    patience = impatient_with_emulators(margin=0.05)
    gateway = await system.gateway(patience, function_seconds=0.05)
    system.emulator.plan(stays_silent)
    assert (await an_order(gateway)).status == 504

    system.emulator.die()

    await until(lambda: system.emulator.deaths)
    assert (await an_order(gateway)).status == 201
    # Nobody waited for the first any more, so it is not repeated.
    assert len(system.emulator.events) == 2


async def test_a_call_is_repeated_when_its_emulator_dies(system: System) -> None:
    gateway = await system.gateway()
    system.emulator.plan(stays_silent)
    call = asyncio.create_task(an_order(gateway))
    await until(lambda: system.emulator.events)

    system.emulator.die()

    assert (await call).status == 201
    first, second = system.emulator.events
    assert first == second
    assert await gauge(gateway, "invocations_repeated_total") == 1
    assert await gauge(gateway, "emulators_alive") == 1


async def test_a_repeated_call_goes_before_those_who_wait(system: System) -> None:
    gateway = await system.gateway()
    system.emulator.plan(stays_silent)
    first = asyncio.create_task(an_order(gateway, "first"))
    await until(lambda: system.emulator.events)
    second = asyncio.create_task(an_order(gateway, "second"))
    await under_way(system, 2)

    system.emulator.die()

    assert [(await first).status, (await second).status] == [201, 201]
    keys = [event["body"] for event in system.emulator.events]
    assert [key.count("first") for key in keys] == [1, 1, 0]


async def test_a_call_is_repeated_on_whatever_emulator_is_there(pair: System) -> None:
    gateway = await pair.gateway()
    for emulator in pair.emulators:
        emulator.plan(stays_silent)
    call = asyncio.create_task(an_order(gateway))
    await until(lambda: pair.emulators[0].events or pair.emulators[1].events)
    lost, other = sorted(pair.emulators, key=lambda emulator: -len(emulator.events))
    other.forget_plans()

    lost.is_supervised = False
    lost.die()

    assert (await call).status == 201
    assert len(other.events) == 1
    assert await gauge(gateway, "emulators_alive") == 1


async def test_a_call_is_sent_three_times_and_no_more(system: System) -> None:
    gateway = await system.gateway()
    system.emulator.plan(*[cuts] * 9)

    answer = await an_order(gateway)

    assert failure(answer) == (503, "UPSTREAM_UNAVAILABLE")
    assert answer.headers["Retry-After"] == "1"
    assert len(system.emulator.events) == 3


async def test_repeats_end_with_the_time_of_a_call(system: System) -> None:
    gateway = await system.gateway(impatient_with_emulators(total=0.2))
    system.emulator.is_supervised = False
    system.emulator.plan(stays_silent)
    call = asyncio.create_task(an_order(gateway))
    await until(lambda: system.emulator.events)

    system.emulator.die()

    assert failure(await call) == (503, "UPSTREAM_UNAVAILABLE")


async def test_a_function_that_exits_is_tried_again(system: System) -> None:
    gateway = await system.gateway()
    system.emulator.plan(exits)

    assert (await an_order(gateway)).status == 201
    assert len(system.emulator.events) == 2


async def test_to_find_an_emulator_away_is_no_attempt(
    io_loop: IOLoop, session: aiohttp.ClientSession
) -> None:
    del io_loop
    system = System(session, emulators=[FakeEmulator() for _ in range(6)])
    await system.start()
    gateway = await system.gateway()
    await emulators_alive(gateway, 6)
    for emulator in system.emulators[:5]:
        await emulator.stop()

    assert [(await an_order(gateway)).status for _ in range(3)] == [201] * 3
    assert await gauge(gateway, "emulators_alive") == 1
    await system.stop()


async def test_an_invocation_that_a_former_gateway_left_costs_a_repeat_and_nothing_else(
    system: System,
) -> None:
    gateway = await system.gateway()
    system.emulator.plan(stays_silent)
    url = system.emulator.base_url + INVOCATIONS
    left = asyncio.create_task(gateway.session.post(url, json={"headers": {}}))
    await until(lambda: system.emulator.events)

    assert (await an_order(gateway)).status == 201

    assert system.emulator.deaths == 1
    assert await gauge(gateway, "invocations_repeated_total") == 1
    with pytest.raises(aiohttp.ClientError):
        await left


async def test_an_emulator_that_comes_late_is_taken_in(system: System) -> None:
    await system.emulator.stop_for_now()
    gateway = await system.gateway()
    call = asyncio.create_task(an_order(gateway))
    await under_way(system, 1)
    assert await gauge(gateway, "emulators_alive") == 0

    await system.emulator.start()

    assert (await call).status == 201
    # A look whether it listens is no invocation.
    assert len(system.emulator.received) == 1
