"""Runs of the Postman collection by newman, and what they found."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_system import postman
from local_system.progress import Silence
from local_system.system import LocalSystem
from tests.documents.postman_collection import ROOT
from tests.running_systems import token_of


@dataclass(frozen=True, slots=True)
class Failure:
    """A check that did not hold, a script that broke off, or a request that nobody answered."""

    identity: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Response:
    """What came back for one request."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Run:
    """One run of newman; ``identity`` is that of the request, here and in the failures."""

    exit_code: int
    responses: Mapping[str, Response]
    failures: tuple[Failure, ...]

    @property
    def sentences(self) -> list[str]:
        """What failed."""
        return [failure.sentence for failure in self.failures]


def values_of(system: LocalSystem) -> dict[str, str]:
    """Return the value of each variable of the environment for a running system."""
    return {
        "gateway_url": system.gateway_url,
        "customers_url": system.customers_url,
        "orders_url": system.orders_url,
        "emulator_url": system.emulator_url,
        "token": token_of(system),
        "viewer_token": token_of(system, "viewer"),
        "service_token": system.values["customers_api"]["SERVICE_TOKEN"],
    }


def run(collection: Path, values: Mapping[str, str], folder: Path, *options: str) -> Run:
    """Run a collection with these values; ``folder`` takes newman's files."""
    filled = folder / "environment.json"
    filled.write_text(json.dumps(postman.environment(ROOT, values)), encoding="utf-8")
    report = folder / "report.json"
    reporting = ["--reporters", "json", "--reporter-json-export", str(report)]
    exit_code = postman.newman(ROOT, collection, filled, [*reporting, *options], Silence())
    told = json.loads(report.read_text(encoding="utf-8"))["run"]
    return Run(
        exit_code,
        {one["item"]["id"]: _response(one.get("response", {})) for one in told["executions"]},
        tuple(_failure(one) for one in told["failures"]),
    )


def _response(told: Mapping[str, Any]) -> Response:
    return Response(told.get("code", 0), bytes(told.get("stream", {}).get("data", [])))


def _failure(told: Mapping[str, Any]) -> Failure:
    source, error = told["source"], told["error"]
    return Failure(source["id"], f"{source['name']}, {told['at']}: {error['message']}")
