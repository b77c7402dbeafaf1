"""scripts/cold-start, as short as it can be: what it says, not how fast anything is."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.docker import engine
from tests.docker.composition import ROOT

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(600)]


def test_it_measures_the_start_its_packages_the_first_order_and_warm_ones(tmp_path: Path) -> None:
    if engine.missing():
        pytest.skip(engine.missing())
    short = ["--runs=1", "--invocations=30", f"--json={tmp_path / 'out.json'}"]

    done = engine.run(str(ROOT / "scripts" / "cold-start"), *short, seconds=400)

    result = json.loads((tmp_path / "out.json").read_text())
    packages = {package["name"]: package["ms"] for package in result["packages"]}
    assert packages.keys() > {"aiohttp", "awslambdaric", "orchestrator_image", "service_kit"}
    # Loaded by the first refusal, or never.
    assert packages.keys().isdisjoint({"jsonschema", "tornado", "aiomysql"})
    (start,), (first,), (warm,) = result["starts"], result["first_answers"], result["warm"]
    assert start["import_cpu_ms"] > 0
    assert 0 < first["since_request_ms"] < first["since_start_ms"]
    assert warm["calls_cpu_ms"] > 0
    assert warm["function_cpu_ms"] > 0
    assert f"| import of the handler | {start['import_ms']:.1f} |" in done.stdout
    assert "| `aiohttp` |" in done.stdout


@pytest.mark.parametrize("argument", ["--runs=0", "--invocations=-5", "--memory=1.5"])
def test_what_cannot_be_counted_is_refused_before_anything_is_built(argument: str) -> None:
    script = str(ROOT / "scripts" / "cold-start")

    done = subprocess.run([script, argument], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "a whole number from 1, not" in done.stderr.splitlines()[-1]
