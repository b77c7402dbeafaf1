"""The composed system: what each container may do, who can reach it, and what it logs."""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from local_system import environment, wiring
from local_system.ports import Ports
from tests.apis import Api
from tests.builders import a_product, unique
from tests.docker import composition, engine
from tests.docker.composition import EMULATORS, SERVICES, ComposedSystem
from tests.docker.engine import docker, inspected
from tests.system.orchestrations import PATH, a_request

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

ONE_SHOTS = ("migrate", "seed")
LASTING = ("db", *SERVICES, *EMULATORS)
PUBLISHED = {
    "gateway": "GATEWAY_PORT",
    "customers-api": "CUSTOMERS_PORT",
    "orders-api": "ORDERS_PORT",
    "lambda-curl": "RIE_PORT",
}
SECRET_WORDS = ("SECRET", "TOKEN", "PASSWORD")


def host_configuration(system: ComposedSystem, service: str) -> Any:
    return inspected(system.container(service))["HostConfig"]


@pytest.mark.parametrize("service", [*LASTING, *ONE_SHOTS])
def test_a_container_has_no_privilege_and_bounds(system: ComposedSystem, service: str) -> None:
    host = host_configuration(system, service)

    assert host["ReadonlyRootfs"]
    assert (host["CapDrop"], host["CapAdd"]) == (["ALL"], None)
    assert any(option.startswith("no-new-privileges") for option in host["SecurityOpt"])
    assert not host["Privileged"]
    assert 0 < host["Memory"] <= 2**30
    assert 0 < host["PidsLimit"] <= 500
    assert host["LogConfig"]["Type"] == "json-file"
    assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}
    assert host["RestartPolicy"]["Name"] == ("no" if service in ONE_SHOTS else "unless-stopped")


@pytest.mark.parametrize("service", LASTING)
def test_no_process_runs_as_root(system: ComposedSystem, service: str) -> None:
    _titles, *processes = docker("top", system.container(service), "-eo", "pid,uid").splitlines()

    assert processes
    assert "0" not in {process.split()[1] for process in processes}


def test_what_is_published_is_published_on_this_machine_alone(system: ComposedSystem) -> None:
    published = {
        service: [binding for bindings in ports.values() for binding in bindings]
        for service in [*LASTING, *ONE_SHOTS]
        if (ports := host_configuration(system, service)["PortBindings"])
    }

    assert published == {
        service: [{"HostIp": "127.0.0.1", "HostPort": str(system.ports[port])}]
        for service, port in PUBLISHED.items()
    }


def test_the_database_is_on_an_internal_network_with_those_alone_who_use_it(
    system: ComposedSystem,
) -> None:
    database, services = f"{system.project}_database", f"{system.project}_services"
    networks = {
        service: set(inspected(system.container(service))["NetworkSettings"]["Networks"])
        for service in [*LASTING, *ONE_SHOTS]
    }

    assert inspected(database)["Internal"]
    assert networks == {
        **{service: {database} for service in ("db", *ONE_SHOTS)},
        **{service: {database, services} for service in ("customers-api", "orders-api")},
        **{service: {services} for service in (*EMULATORS, "gateway")},
    }


def test_the_one_shots_have_ended_well(system: ComposedSystem) -> None:
    assert [system.state(service)["ExitCode"] for service in ONE_SHOTS] == [0, 0]


def test_a_missing_env_file_is_named(clone: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(clone, bare, ignore=shutil.ignore_patterns(".env"))

    with pytest.raises(AssertionError, match=r"/.env not found"):
        ComposedSystem(bare).configuration()


def test_the_files_that_scripts_up_makes_change_no_address(clone: Path, tmp_path: Path) -> None:
    other = composition.clean_copy(tmp_path / "other")
    environment.create_files(other, wiring.local_addresses(Ports.free(), "", 3306))

    differing = {
        (service, name)
        for service, theirs in environments(ComposedSystem(other)).items()
        for name, value in environments(ComposedSystem(clone))[service].items()
        if theirs[name] != value
    }

    assert differing
    assert {(service, name) for service, name in differing if not is_secret(name)} == {
        *((emulator, "RIE_PORT") for emulator in EMULATORS),  # not the function's affair
    }


def environments(system: ComposedSystem) -> dict[str, dict[str, str]]:
    services = system.configuration()["services"]
    return {name: service["environment"] for name, service in services.items()}


def is_secret(name: str) -> bool:
    return any(word in name for word in SECRET_WORDS)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_warns_of_the_published_secrets(system: ComposedSystem, service: str) -> None:
    lines = [json.loads(line) for line in system.log(service).splitlines()]

    warnings = [line for line in lines if "published example secrets" in line["event"]]
    assert [line["level"] for line in warnings] == ["warning"]
    assert "JWT_SECRET" in warnings[0]["variables"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_refuses_the_published_secrets_in_production(
    system: ComposedSystem, clone: Path, service: str
) -> None:
    folder = service.replace("-", "_")

    done = engine.run(
        "docker", "run", "--rm", "--network=none", "--env=ENVIRONMENT=production",
        f"--env-file={environment.env_file(clone, folder)}",
        f"back-office/{service}:{composition.COMPOSED_TAG}", check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert "JWT_SECRET is the published example" in done.stderr


async def test_a_call_can_be_followed_through_the_logs_of_all_that_it_met(
    system: ComposedSystem, gateway: Api
) -> None:
    product = await a_product(gateway)
    correlation_id = unique("trace-")

    answer = await gateway.post(PATH, a_request(product, correlation_id=correlation_id))

    assert answer.status == 201
    met = {service for service in LASTING if correlation_id in system.log(service)}
    assert {*SERVICES} <= met
    assert met & {"lambda-1", "lambda-2"}


async def test_no_secret_stands_in_any_log(system: ComposedSystem, gateway: Api) -> None:
    await gateway.get("/customers/1")
    await gateway.called_with("not-a-token").get("/customers/1")
    logs = system.compose("logs")
    secrets = {
        value
        for variables in environment.read_all(system.clone).values()
        for name, value in variables.items()
        if is_secret(name)
    }

    assert [secret for secret in secrets if secret in logs] == []
    assert str(gateway.token) not in logs


async def test_the_page_has_every_part_of_it(gateway: Api) -> None:
    page = (await gateway.get("/docs")).body.decode()

    parts = [word.split('"')[0] for word in page.replace("src=", "href=").split('href="')[1:]]
    assert len({part for part in parts if part.startswith("/docs/")}) == 5
    assert {(await gateway.get(part)).status for part in parts} == {200}


def by_script(system: ComposedSystem, verb: str, *arguments: str) -> str:
    """Run what scripts/VERB runs, in the clone, with the environment of this interpreter."""
    return engine.run(
        sys.executable, "-P", "-m", f"local_system.{verb}", *arguments,
        variables={**system.variables, "PYTHONPATH": str(system.clone)},
    ).stdout  # fmt: skip


@pytest.mark.parametrize("arguments", [(), ("--http",)])
def test_scripts_invoke_takes_an_order(system: ComposedSystem, arguments: tuple[str, ...]) -> None:
    answer = json.loads(by_script(system, "invoke", *arguments))

    assert answer["data"]["order"]["status"] == "CONFIRMED"


async def test_scripts_token_prints_tokens_that_are_taken(
    system: ComposedSystem, gateway: Api
) -> None:
    operator = by_script(system, "token").strip()
    service = by_script(system, "token", "--service").strip()
    customers = Api(gateway.session, system.url("CUSTOMERS_PORT"), service)

    assert (await gateway.called_with(operator).get("/customers/1")).status == 200
    assert (await customers.get("/internal/customers/1")).status == 200
    assert (await gateway.called_with(service).get("/internal/customers/1")).status == 404


def readme_block(clone: Path, text: str) -> str:
    """Return the one bash block of the README that holds the text."""
    blocks = (clone / "README.md").read_text().split("```bash\n")[1:]
    (block,) = [block for block in (part.split("```")[0] for part in blocks) if text in block]
    return block


@pytest.mark.parametrize("call", ["functions/function/invocations", "$API/orchestrator/create"])
def test_the_curl_of_the_readme_prints_the_consolidated_json(
    system: ComposedSystem, clone: Path, tmp_path: Path, call: str
) -> None:
    program = readme_block(clone, "API=http://localhost:3000") + readme_block(clone, call)
    for port, name in (("3000", "GATEWAY_PORT"), ("9000", "RIE_PORT")):
        program = program.replace(f"localhost:{port}", f"127.0.0.1:{system.ports[name]}")
    token = f"{sys.executable} -P -m local_system.token"
    program = program.replace("scripts/token", token)
    # Not every machine has it.
    (tmp_path / "uuidgen").write_text("#!/bin/sh\ncat /proc/sys/kernel/random/uuid\n")
    (tmp_path / "uuidgen").chmod(0o755)
    path = f"{os.environ['PATH']}:{tmp_path}"

    printed = engine.run(
        "bash", "-euc", program, variables={"PYTHONPATH": str(clone), "PATH": path}
    ).stdout

    answer = json.loads(printed)
    assert answer["correlationId"] == "req-789"
    assert answer["data"]["order"]["status"] == "CONFIRMED"
    assert answer["data"]["order"]["total_cents"] == 389700
