"""What a run gives away, in whatever it says, writes or shows: no secret, and no forged line."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from local_system.system import LocalSystem
from tests import database_servers
from tests.apis import Answer, Api
from tests.builders import unique
from tests.integration.gateway_calls import raw
from tests.running_systems import token_of
from tests.waiting import until

ORCHESTRATION = "/orchestrator/create-and-confirm-order"
SERVICES = ("customers", "orders", "gateway")

pytestmark = pytest.mark.parametrize(
    "system", database_servers.available()[:1], indirect=True, scope="session"
)


def secrets_of(system: LocalSystem) -> set[str]:
    """Return every secret value of the system: made for this run, so that each is a canary."""
    marks = ("SECRET", "PASSWORD", "TOKEN")
    found = {
        part.strip()
        for variables in system.values.values()
        for name, value in variables.items()
        if any(mark in name for mark in marks)
        for part in value.split(",")
    }
    return found - {""}


def doors(system: LocalSystem, gateway: Api) -> list[Api]:
    """Return every API of the system, called as an operator."""
    direct = (system.customers_url, system.orders_url)
    return [gateway, *(Api(gateway.session, url, gateway.token) for url in direct)]


async def everything_goes_wrong(system: LocalSystem, gateway: Api) -> list[Answer]:
    """Call with every credential, right and broken, where it is right and where it is not."""
    service = system.values["orders_api"]["SERVICE_TOKEN"]
    good = str(gateway.token)
    expired = token_of(system, exp=1)
    head, claims, signature = good.split(".")
    credentials = [
        good,
        expired,
        service,
        f"{good}x",
        f"{head}.{claims}.",
        f".{claims}.{signature}",
        f"{service}\u00e9",
        f"{service} {good}",
    ]
    answers = []
    for api in doors(system, gateway):
        for credential in credentials:
            caller = api.called_with(credential)
            paths = ("/customers/1", "/orders/1", "/internal/customers/1", "/nothing")
            # In a query too, where careless clients put it: no log has the queries.
            answers += [await caller.get(f"{path}?token={quote(credential)}") for path in paths]
            broken = json.dumps({"name": credential, "email": credential}).encode() + b"}"
            paths = ("/customers", "/orders", "/products", ORCHESTRATION)
            answers += [await caller.call("POST", path, data=broken) for path in paths]
        operational = ("/health", "/metrics", "/openapi.json", "/docs")
        answers += [await api.get(path) for path in operational]
    return answers


def command_lines() -> Iterator[str]:
    """Return what everybody on the machine can read of every process."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield file.read_text(errors="replace")
        except OSError:
            continue


async def test_no_secret_is_given_away_by_anything_that_the_system_says(
    system: LocalSystem, gateway: Api
) -> None:
    answers = await everything_goes_wrong(system, gateway)
    last = unique("the-last-one-")
    await gateway.get("/customers/1", X_Correlation_Id=last)
    # A line passes through supervisord on its way into the log.
    await until(lambda: last in (system.logs / "customers.log").read_text(), "it is logged")

    said = {
        "answers": "".join(f"{answer.headers}{answer.body!r}" for answer in answers),
        "logs": "".join(file.read_text(errors="replace") for file in system.logs.glob("*.log*")),
        "command lines": "".join(command_lines()),
    }
    canaries = secrets_of(system)
    assert len(canaries) >= 6
    for where, text in said.items():
        assert [canary for canary in canaries if canary in text] == [], where
    # Nor an operator's token, which is as good as its secret for an hour.
    signature = str(gateway.token).rpartition(".")[2]
    assert signature not in said["logs"]
    assert signature not in said["command lines"]


async def test_an_answer_repeats_no_credential(system: LocalSystem, gateway: Api) -> None:
    service = system.values["orders_api"]["SERVICE_TOKEN"]
    for api in doors(system, gateway):
        for credential in (gateway.token, service, f"{service}x"):
            answer = await api.called_with(credential).get("/internal/customers/1")
            said = f"{answer.headers}{answer.body!r}"
            assert str(credential) not in said


def test_files_with_secrets_are_their_owners_alone(system: LocalSystem) -> None:
    canaries = [secret.encode() for secret in secrets_of(system)]
    with_secrets = [
        file
        for file in system.run_dir.rglob("*")
        if file.is_file() and any(canary in file.read_bytes() for canary in canaries)
    ]

    assert with_secrets, "the programs get their secrets from somewhere"
    for file in with_secrets:
        folders = [folder for folder in file.parents if folder.is_relative_to(system.run_dir)]
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (file, *folders)]
        assert any(mode & 0o077 == 0 for mode in modes), file


FORGED = '"level":"info","service":"gateway","event":"forged'


async def test_no_caller_can_forge_a_line_of_a_log(system: LocalSystem, gateway: Api) -> None:
    mark = unique("forged")
    line = f'{{{FORGED} {mark}"}}'
    for start in ("\n", "\r\n", "\r", "\u2028", "\x85", "\\n", "%0a", "%0d%0a", "\x1b[2J\n"):
        text = f"{start}{line}{start}"
        octets = text.encode().decode("latin-1")
        for api in doors(system, gateway):
            await raw(api, f"GET /{octets} HTTP/1.1\r\nConnection: close\r\n\r\n".encode("latin-1"))
            fields = f"X-Correlation-Id: {octets}\r\nUser-Agent: {octets}\r\nHost: {octets}"
            await raw(
                api,
                f"GET /customers/1?{octets} HTTP/1.1\r\n{fields}\r\n"
                f"Authorization: Bearer {octets}\r\nConnection: close\r\n\r\n".encode("latin-1"),
            )
            caller = api.called_with(token_of(system, sub=text))
            await caller.get("/customers/1")
        await gateway.post(ORCHESTRATION, {"correlation_id": text, "idempotency_key": text})
    last = unique("the-last-one-")
    await gateway.get("/orders/1", X_Correlation_Id=last)
    await until(lambda: last in (system.logs / "orders.log").read_text(), "it is logged")

    for name in SERVICES:
        lines = (system.logs / f"{name}.log").read_text().split("\n")
        entries = [json.loads(line) for line in lines if line]
        assert entries
        assert not [entry for entry in entries if str(entry["event"]).startswith("forged")]
        assert {entry["service"] for entry in entries} == {json.loads(lines[0])["service"]}
