"""What the gateway answers to those who run it, and to those who read."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from openapi_spec_validator import validate
from tornado.ioloop import IOLoop

import customers_api.document
import orders_api.document
from tests.apis import Answer, Api
from tests.integration.gateway_calls import (
    ORCHESTRATION,
    QUICK,
    System,
    a_system,
    impatient_with_services,
    until,
)
from tests.integration.gateway_peers import Act, Conversation, answers, stays_silent

OPERATIONS = {"/health", "/health/live", "/metrics", "/openapi.json", "/docs"}


@pytest.fixture
def system(io_loop: IOLoop, session: aiohttp.ClientSession) -> Iterator[System]:
    with a_system(io_loop, session, emulators=2) as system:
        yield system


@pytest.fixture
def gateway(io_loop: IOLoop, system: System) -> Api:
    api: Api = io_loop.run_sync(system.gateway)
    return api.called_with(None)


def tells(value: Any) -> Act:
    async def act(conversation: Conversation) -> None:
        await conversation.answer_json(value)

    return act


async def health(gateway: Api, expected: int) -> Answer:
    """Return the health once it has this status: emulators are taken in after the start."""
    for _ in range(500):
        answer = await gateway.get("/health")
        if answer.status == expected:
            return answer
    pytest.fail(f"/health is never {expected}")


async def test_it_is_healthy_when_all_that_it_stands_on_is(gateway: Api, system: System) -> None:
    assert (await health(gateway, 200)).json == {"status": "ok"}

    assert {request.target for request in system.customers.received} == {"/health"}
    assert {request.target for request in system.orders.received} == {"/health"}
    assert not any(emulator.received for emulator in system.emulators)


async def test_its_health_names_the_service_that_is_away(gateway: Api, system: System) -> None:
    await health(gateway, 200)
    await system.customers.stop()
    system.orders.plan(answers(503, b"{}"))

    answer = await gateway.get("/health")

    assert answer.status == 503
    assert answer.headers["Retry-After"] == "1"
    assert answer.json == {
        "status": "unavailable",
        "reason": "The Customers API is unavailable. The Orders API is unavailable.",
    }


async def test_a_service_that_hangs_is_not_healthy(system: System) -> None:
    gateway = await system.gateway(impatient_with_services(health=0.1))
    await health(gateway, 200)
    system.customers.plan(stays_silent)

    answer = await gateway.get("/health")

    assert answer.status == 503
    assert answer.json["reason"] == "The Customers API is unavailable."


async def test_however_many_ask_after_its_health_the_services_are_asked_once_in_a_while(
    system: System,
) -> None:
    gateway = await system.gateway(replace(QUICK, health_kept=60))

    answers = await asyncio.gather(*(gateway.get("/health") for _ in range(20)))

    assert len({answer.status for answer in answers}) == 1
    assert len(system.customers.received) == len(system.orders.received) == 1


async def test_one_emulator_is_enough_and_none_is_too_few(gateway: Api, system: System) -> None:
    await health(gateway, 200)
    first, second = system.emulators

    await first.stop_for_now()
    assert (await gateway.get("/health")).status == 200
    await second.stop_for_now()
    answer = await gateway.get("/health")
    assert answer.status == 503
    assert answer.json["reason"] == "No emulator of the orchestrator is alive."

    await first.start()
    await health(gateway, 200)


async def test_it_lives_whatever_becomes_of_the_others(gateway: Api, system: System) -> None:
    await system.customers.stop()

    assert (await gateway.get("/health/live")).json == {"status": "ok"}


async def test_the_root_leads_to_the_page(gateway: Api) -> None:
    answer = await gateway.get("/")
    page = await gateway.get(answer.headers["Location"])

    assert (answer.status, answer.headers["Location"]) == (302, "/docs")
    assert page.status == 200
    assert page.headers["Content-Type"].startswith("text/html")


async def test_metrics_count_by_route_not_by_path(gateway: Api) -> None:
    for number in range(3):
        await gateway.get(f"/customers/{number}")

    text = (await gateway.get("/metrics")).body.decode()

    assert 'http_requests_total{method="GET",route="/customers/*",status="200"} 3.0' in text


@pytest.mark.parametrize("path", ["/", "/nothing", "/openapi", "/customer"])
async def test_what_nobody_knows_is_not_found(gateway: Api, path: str) -> None:
    answer = await gateway.call("DELETE", path)

    assert answer.status in {404, 405}
    assert answer.code in {"NOT_FOUND", "METHOD_NOT_ALLOWED"}


def service_documents() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the real services say of themselves."""
    return customers_api.document.document(), orders_api.document.document()


async def test_one_document_describes_all_that_can_be_called_here(
    gateway: Api, system: System
) -> None:
    customers, orders = service_documents()
    system.customers.plan(tells(customers))
    system.orders.plan(tells(orders))

    document = (await gateway.get("/openapi.json")).json

    validate(document)
    assert "Invalid Swagger" not in str(document)
    assert [server["url"] for server in document["servers"]] == ["/"]
    assert set(document["paths"]) == {
        "/customers",
        "/customers/{customer_id}",
        "/products",
        "/products/{product_id}",
        "/orders",
        "/orders/{order_id}",
        "/orders/{order_id}/confirm",
        "/orders/{order_id}/cancel",
        ORCHESTRATION,
        *OPERATIONS,
    }
    assert set(document["components"]["securitySchemes"]) == {"operator", "service"}
    schemas = document["components"]["schemas"]
    assert {"Customer", "Order", "Problem", "CreateAndConfirmOrder"} <= set(schemas)


async def test_the_document_has_the_orchestrators_failure_shape(
    gateway: Api, system: System
) -> None:
    for service, document in zip(
        (system.customers, system.orders), service_documents(), strict=True
    ):
        service.plan(tells(document))

    document = (await gateway.get("/openapi.json")).json
    operation = document["paths"][ORCHESTRATION]["post"]

    assert operation["security"] == [{"operator": []}]
    shapes = {
        status: {kind: _shape(part["schema"]) for kind, part in answer["content"].items()}
        for status, answer in operation["responses"].items()
        if "$ref" not in answer
    }
    problem = {"application/problem+json": "Problem"}
    failed = {"application/json": "OrchestrationFailed"}
    statuses = [401, 403, 404, 408, 409, 413, 415, 422, 429, 500, 503, 504]
    assert shapes == {
        "201": {"application/json": "OrchestrationSucceeded"},
        "400": {**failed, **problem},
        "405": problem,
        "431": problem,
        **dict.fromkeys(map(str, statuses), failed),
    }
    assert "`BUSY`" in operation["responses"]["503"]["description"]


def _shape(schema: dict[str, Any]) -> str:
    """Return the name of the schema that an answer has, perhaps narrowed to some codes."""
    reference = schema.get("$ref") or schema["allOf"][0]["$ref"]
    return str(reference).rpartition("/")[2]


async def test_the_document_is_kept_for_a_while(gateway: Api, system: System) -> None:
    system.customers.plan(tells({"paths": {"/customers": {}}}))
    first = await gateway.get("/openapi.json")
    await system.customers.stop()

    second = await gateway.get("/openapi.json")

    assert (first.status, second.status) == (200, 200)
    assert first.json == second.json
    assert len(system.customers.received) == len(system.orders.received) == 1


async def test_an_old_document_is_better_than_none(system: System) -> None:
    gateway = await system.gateway(replace(QUICK, document_kept=0))
    system.customers.plan(tells({"paths": {"/customers": {}}}), tells({"paths": {"/new": {}}}))
    assert "/customers" in (await gateway.get("/openapi.json")).json["paths"]
    assert "/new" in (await gateway.get("/openapi.json")).json["paths"]
    await system.customers.stop()

    assert "/new" in (await gateway.get("/openapi.json")).json["paths"]


A_STRANGER = {"/customers": {"get": {"responses": {"503": {"description": "Later."}}}}}


@pytest.mark.parametrize(
    "act", [answers(503), answers(200, b"nonsense"), tells([]), tells({"paths": A_STRANGER})]
)
async def test_without_any_document_there_is_a_problem(
    gateway: Api, system: System, act: Act
) -> None:
    system.customers.plan(act)

    answer = await gateway.get("/openapi.json")

    assert (answer.status, answer.code) == (503, "UPSTREAM_UNAVAILABLE")
    assert answer.headers["Retry-After"] == "1"
    assert (await gateway.get("/openapi.json")).status == 200


async def test_a_crowd_behind_a_service_that_hangs_waits_once_all_together(system: System) -> None:
    seconds = 0.4
    gateway = await system.gateway(impatient_with_services(document=seconds))
    system.customers.plan(*[stays_silent] * 10)
    started = time.monotonic()

    answers = await asyncio.gather(*(gateway.get("/openapi.json") for _ in range(10)))

    assert {answer.code for answer in answers} == {"UPSTREAM_UNAVAILABLE"}
    assert time.monotonic() - started < 3 * seconds
    assert len(system.customers.received) == 1


async def test_a_service_without_a_document_is_not_asked_again_at_once(system: System) -> None:
    gateway = await system.gateway(replace(QUICK, document_failure_kept=60))
    system.customers.plan(answers(503))

    refusals = [await gateway.get("/openapi.json") for _ in range(5)]

    assert {refusal.code for refusal in refusals} == {"UPSTREAM_UNAVAILABLE"}
    assert len(system.customers.received) == 1


async def test_when_it_stops_what_runs_is_finished(system: System) -> None:
    gateway = await system.gateway()
    first = system.emulators[0]
    system.application.draining = True

    answer = await gateway.called_with(gateway.token).post(ORCHESTRATION, {})
    passed = await gateway.get("/customers")

    assert (answer.status, passed.status) == (201, 200)
    assert answer.headers["Connection"] == passed.headers["Connection"] == "close"
    await until(lambda: first.running == 0)
