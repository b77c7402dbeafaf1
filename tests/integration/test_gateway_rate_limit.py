"""Too many calls from one caller at the gateway, as its callers see it."""

import pytest
from tornado.ioloop import IOLoop

from tests.apis import SERVICE_TOKEN, Answer, Api, token
from tests.integration.gateway_calls import ORCHESTRATION, System, metric

BURST = 2


@pytest.fixture
def gateway(io_loop: IOLoop, system: System) -> Api:
    async def start() -> Api:
        return await system.gateway(RATE_LIMIT=str(BURST // 2))

    api: Api = io_loop.run_sync(start)
    return api


async def calls_until_refused(gateway: Api, path: str = "/customers") -> tuple[int, Answer]:
    """Return how many calls were answered, and the refusal of the one after."""
    for number in range(1000):
        answer = await gateway.get(path)
        if answer.status == 429:
            return number, answer
    raise AssertionError("never refused")


async def test_too_many_calls_are_refused_with_when_to_come_again(
    gateway: Api, system: System
) -> None:
    answered, refusal = await calls_until_refused(gateway)

    assert refusal.code == "RATE_LIMITED"
    assert int(refusal.headers["Retry-After"]) >= 1
    assert answered >= BURST
    assert len(system.customers.received) == answered, "a refused call went on"


async def test_one_callers_calls_are_not_taken_from_another(gateway: Api) -> None:
    await calls_until_refused(gateway)

    assert (await gateway.called_with(token(sub="another")).get("/customers")).status == 200


async def test_calls_are_counted_together_whatever_they_ask_for(gateway: Api) -> None:
    await calls_until_refused(gateway, "/products/1")

    assert (await gateway.get("/customers")).status == 429
    assert (await gateway.post(ORCHESTRATION, {})).status == 429


async def test_the_orchestrators_path_refuses_in_its_own_shape(
    gateway: Api, system: System
) -> None:
    await calls_until_refused(gateway)

    refusal = await gateway.post(ORCHESTRATION, {}, X_Correlation_Id="too-many-1")

    assert (refusal.status, refusal.headers["Content-Type"]) == (429, "application/json")
    assert refusal.headers["Retry-After"] == "1"
    assert refusal.json["success"] is False
    assert refusal.json["correlationId"] == "too-many-1"
    assert refusal.json["error"]["code"] == "RATE_LIMITED"
    assert not system.emulator.received


async def test_guessed_tokens_are_counted_by_address(gateway: Api) -> None:
    guesses = [
        await gateway.called_with(token(secret=f"a guess of the secret, number {number:10}")).post(
            ORCHESTRATION, {}
        )
        for number in range(50)
    ]

    statuses = [guess.status for guess in guesses]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    assert (await gateway.get("/customers")).status == 200, "an operator at the same address"


@pytest.mark.parametrize("path", ["/health", "/health/live", "/metrics", "/openapi.json", "/docs"])
async def test_who_runs_the_gateway_may_ask_it_at_any_time(gateway: Api, path: str) -> None:
    for credential in (None, gateway.token):
        await calls_until_refused(gateway.called_with(credential))

        for _ in range(BURST + 3):
            assert (await gateway.called_with(credential).get(path)).status != 429


async def test_services_are_not_limited(gateway: Api) -> None:
    service = gateway.called_with(SERVICE_TOKEN)

    answers = [await service.get("/orders") for _ in range(BURST + 20)]

    assert {answer.status for answer in answers} == {200}


async def test_refusals_are_counted(gateway: Api) -> None:
    before = metric((await gateway.get("/metrics")).body, "calls_rate_limited_total")
    await calls_until_refused(gateway)

    after = metric((await gateway.get("/metrics")).body, "calls_rate_limited_total")
    assert (before, after) == (0, 1)


async def test_by_default_a_crowd_of_one_caller_is_let_in(system: System) -> None:
    gateway = await system.gateway()

    answers = [await gateway.get("/customers") for _ in range(300)]

    assert {answer.status for answer in answers} == {200}
