"""Each service does what its document says, and only that: schemathesis drives it by the document.

All phases (the examples, the edges of every schema, random values, chains of calls along the links)
and all checks. The run is random: its seed is printed, and TEST_SEED draws the same values again.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_system import calls
from local_system.system import LocalSystem
from tests import database_servers
from tests.builders import unique
from tests.plans import random_plan
from tests.running_systems import running_system, token_of

pytestmark = pytest.mark.timeout(300)

ROOT = Path(__file__).parents[2]
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
# A quarter of a minute on two cores that have nothing else to do.
MOST_SECONDS = 280
CHAINS_SECONDS = 8
KNOWN = 12
SERVICES = ["customers", "orders", "gateway"]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    """A system of their own: they change and delete whatever they find."""
    database = database_servers.available()[0]
    with running_system(database, tmp_path_factory.mktemp("driven")) as started:
        yield started


def conformance(
    system: LocalSystem, document: str, folder: Path, *options: str
) -> subprocess.CompletedProcess[str]:
    """Hold a service against a document; the run's report is on its standard output."""
    return subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION),
            "run", document, "--no-color", "--seed", str(random_plan().randrange(2**32)), *options,
        ],
        check=False,
        # What a run remembers of earlier ones is kept here, and goes with the folder.
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OPERATOR_TOKEN": token_of(system),
            "SERVICE_TOKEN": system.values["customers_api"]["SERVICE_TOKEN"],
            "KNOWN_ROWS": json.dumps(
                {
                    "customer_id": created(system, "customers", a_customer),
                    "product_id": created(system, "products", a_product),
                }
            ),
        },
        capture_output=True,
        text=True,
        timeout=MOST_SECONDS,
    )  # fmt: skip


def live_document(system: LocalSystem, service: str) -> str:
    """Return the address of what a service says of itself."""
    return f"{getattr(system, f'{service}_url')}/openapi.json"


def created(system: LocalSystem, collection: str, details: Callable[[], Any]) -> list[int]:
    """Create some resources; return their ids."""
    authorization = {"Authorization": f"Bearer {token_of(system)}"}
    url = f"{system.gateway_url}/{collection}"
    answers = [calls.post_json(url, details(), 10, authorization) for _ in range(KNOWN)]
    assert {answer.status for answer in answers} == {201}
    return [json.loads(answer.body)["id"] for answer in answers]


def a_customer() -> dict[str, Any]:
    return {"name": "Known", "email": f"{unique('known')}@acme.com"}


def a_product() -> dict[str, Any]:
    return {"sku": unique("KNOWN"), "name": "Known", "price_cents": 1, "stock": 1_000_000_000}


def a_lying_document(system: LocalSystem) -> dict[str, Any]:
    """Return the Customers API's document with a status, a type, a bound and a security changed."""
    document: Any = calls.get(f"{system.customers_url}/openapi.json", 10).json()
    del document["paths"]["/customers/{customer_id}"]["get"]["responses"]["404"]
    document["paths"]["/health"]["get"]["security"] = [{"operator": []}]
    schemas = document["components"]["schemas"]
    schemas["Customer"]["properties"]["id"] = {"type": "string"}
    schemas["CustomerInput"]["properties"]["name"]["maxLength"] = 100
    return dict(document)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_does_what_its_document_says(
    system: LocalSystem, service: str, tmp_path: Path
) -> None:
    run = conformance(
        system, live_document(system, service), tmp_path, "--phases", "examples,coverage,fuzzing"
    )

    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_calls_that_follow_the_links_of_a_document_find_what_it_says(
    system: LocalSystem, service: str, tmp_path: Path
) -> None:
    run = conformance(
        system, live_document(system, service), tmp_path,
        "--phases", "stateful",
        # Chains are cut short where a server remembers more than a replay expects: a number of
        # them would not be had, and how far these come depends on the machine.
        "--max-time", str(CHAINS_SECONDS),
        "--exclude-checks", "EveryOperationSucceeds",
    )  # fmt: skip

    assert run.returncode == 0, run.stdout + run.stderr
    followed = re.search(r"API Links: +([0-9]+) covered", run.stdout)
    assert followed is not None, run.stdout
    assert int(followed[1]) > 0, run.stdout


def test_the_function_does_what_its_document_says(system: LocalSystem, tmp_path: Path) -> None:
    run = conformance(
        system, str(ROOT / "orchestrator_image" / "openapi.yaml"), tmp_path,
        "--url", system.emulator_url,
        "--include-operation-id", "invokeOrchestrator",
    )  # fmt: skip

    assert run.returncode == 0, run.stdout + run.stderr


def test_a_document_that_lies_is_caught(system: LocalSystem, tmp_path: Path) -> None:
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(a_lying_document(system)), "utf-8")

    run = conformance(
        system, str(document), tmp_path, "--url", system.customers_url, "--phases", "coverage"
    )

    assert run.returncode == 1, run.stdout + run.stderr
    summary = run.stdout[run.stdout.rindex("Failures:") :]
    for found in (
        "Undocumented status code",
        "Response violates schema",
        "Schema-violating request accepted",
        "API accepts requests without authentication",
    ):
        assert found in summary, run.stdout
