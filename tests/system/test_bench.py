"""scripts/bench, as short as it can be: what it says, not how fast anything is."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.system


def bench(*options: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "benchmark.bench", *options, "--seconds=1", "--rounds=1"],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_it_measures_every_call_beside_the_floors(tmp_path: Path) -> None:
    done = bench("--size=30", "--json=out.json", folder=tmp_path)

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


def test_it_sets_each_call_among_many_rows_beside_the_same_among_few(tmp_path: Path) -> None:
    calls = ("list_orders", "last_orders", "search_both")
    done = bench(
        "flatness",
        "--size=2000",
        *(f"--call={call}" for call in calls),
        "--json=out.json",
        folder=tmp_path,
    )

    assert done.returncode == 0, done.stderr
    assert "last page / first: GET /orders" in done.stdout
    result = json.loads((tmp_path / "out.json").read_text())
    assert set(result["calls"]) == set(calls)
    for call in result["calls"].values():
        assert call["few_p50_ms"] > 0
        assert call["many_cpu_us"] > 0


def test_it_counts_what_many_clients_on_the_same_rows_are_told(tmp_path: Path) -> None:
    done = bench("contention", "--json=out.json", folder=tmp_path)

    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "out.json").read_text())
    assert result["share"] > 0
    assert set(result["step_statuses"]) == {"200", "409"}


def test_it_says_how_much_all_of_the_system_does(tmp_path: Path) -> None:
    done = bench("throughput", "--json=out.json", folder=tmp_path)

    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "out.json").read_text())
    assert result["orchestrate"]["rate"] > 0
    assert result["orchestrate"]["cpu_us"]["emulators"] > 0
    assert result["create_order"]["cpu_us"]["database"] > 0


def test_it_leaves_no_system_behind_when_it_is_told_to_end(tmp_path: Path) -> None:
    def running() -> list[list[str]]:
        """Return the command lines that have to do with the temporary folder."""
        lines = (process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"]))
        return [line for line in lines if str(tmp_path) in " ".join(line)]

    def is_supervisor(line: list[str]) -> bool:
        return "supervisor.supervisord" in line

    with subprocess.Popen(
        [sys.executable, "-m", "benchmark.bench", "--size=30"],
        cwd=tmp_path,
        env={
            "PYTHONPATH": str(ROOT),
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "TMPDIR": str(tmp_path),
        },
        stderr=subprocess.DEVNULL,
    ) as process:
        has_started = until(lambda: any(map(is_supervisor, running())), "a system", 60)
        asyncio.run(has_started)
        process.terminate()

    assert process.returncode == 130
    assert running() == []
