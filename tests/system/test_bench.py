"""scripts/bench, as short as it can be: what it says, not how fast anything is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.system


def bench(*options: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "benchmark.bench", "--size=30", "--seconds=1", *options],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_it_measures_every_call_beside_the_floors(tmp_path: Path) -> None:
    done = bench("--rounds=1", "--json=out.json", folder=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "GET /products/:id" in done.stdout
    result = json.loads((tmp_path / "out.json").read_text())
    assert set(result["ratios"]) == {
        "get_product",
        "get_order",
        "list_orders",
        "create_order",
        "create_order_keyed",
        "confirm_order",
    }
    assert all(0 < ratio < 1 for ratio in result["ratios"].values())
    assert result["hello"]["requests_per_second"] > 0
    for call in result["calls"].values():
        assert call["checked"] > 0
        assert 0 < call["p50_ms"] <= call["p95_ms"] <= call["p99_ms"]
        assert call["cpu_us"]["orders"] > 0
    assert result["sql_alone"]["create_order"]["cpu_us"] > 0
    assert result["calls"]["create_order"]["cpu_us"]["customers"] > 0
