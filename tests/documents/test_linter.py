"""The linter of OpenAPI documents has nothing to say."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_system.node_packages import tool
from local_system.progress import Progress
from tests.openapi_documents import FILES, ROOT

# It would ask the internet for a newer version of itself, and tell that it runs.
OFFLINE = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}


@pytest.fixture(scope="module")
def linter() -> list[str]:
    return tool(ROOT, "redocly", Progress())


def found_in(linter: list[str], folder: Path) -> dict[str, dict[str, Any]]:
    """Return what the linter says of each document in a folder."""
    done = subprocess.run(
        [*linter, "lint", "--format=json", "--lint-config=error", *FILES],
        cwd=folder,
        env={**os.environ, **OFFLINE},
        capture_output=True,
        text=True,
        check=False,
    )
    reports = dict(zip(FILES, reports_in(done.stdout), strict=True))
    has_errors = any(report["totals"]["errors"] for report in reports.values())
    assert done.returncode == (1 if has_errors else 0), done.stderr
    return reports


def reports_in(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects that stand one after the other, one for each document."""
    while text := text.strip():
        report, end = json.JSONDecoder().raw_decode(text)
        yield report
        text = text[end:]


def test_the_linter_has_no_error_and_no_warning(linter: list[str]) -> None:
    for file, report in found_in(linter, ROOT).items():
        problems = [(p["ruleId"], p["message"], p["location"]) for p in report["problems"]]
        assert problems == [], file
        assert (report["totals"]["errors"], report["totals"]["warnings"]) == (0, 0), file


def test_the_linter_reads_the_documents_by_our_rules(linter: list[str], tmp_path: Path) -> None:
    for file in (*FILES, "redocly.yaml", ".redocly.lint-ignore.yaml"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    document = tmp_path / FILES[0]
    sound = document.read_text("utf-8")
    spoiled = sound.replace("      summary: Read a customer\n", "", 1)
    spoiled = spoiled.replace("maxLength: 200", "maxLength: 3")
    document.write_text(spoiled, "utf-8")

    rules = {problem["ruleId"] for problem in found_in(linter, tmp_path)[FILES[0]]["problems"]}

    assert {"operation-summary", "no-invalid-media-type-examples"} <= rules


def test_what_the_linter_is_to_leave_alone_is_still_there(linter: list[str]) -> None:
    ignored = sum(report["totals"]["ignored"] for report in found_in(linter, ROOT).values())

    lines = (ROOT / ".redocly.lint-ignore.yaml").read_text("utf-8").splitlines()
    assert ignored == sum(line.startswith("    - ") for line in lines)
