"""docs/security.md and CHANGELOG.md name the tests that show what they say: they exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECURITY = (ROOT / "docs" / "security.md").read_text("utf-8")
ROWS = [row for row in SECURITY.splitlines() if row.startswith("| ") and "`test_" in row]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
FIXED = CHANGELOG.partition("\n### Fixed\n")[2].partition("\n## ")[0]
DEFECTS = re.findall(r"(?ms)^- .*?(?=^- |^\*\*|\Z)", FIXED)

NAMED = re.compile(r"`(test_\w+\.py)(?:::|`:\s+`)(test_\w+)`")
"""A test in its file; where a line would become too long, the file stands before it."""


def tests_by_file() -> dict[str, set[str]]:
    """Return the names of the tests in each file; a name of a file stands for all of that name."""
    found: dict[str, set[str]] = {}
    for file in (ROOT / "tests").rglob("test_*.py"):
        names = found.setdefault(file.name, set())
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                names.add(node.name)
    return found


@pytest.mark.parametrize(
    ("document", "least"), [(SECURITY, 40), (CHANGELOG, 20)], ids=["security", "changelog"]
)
def test_every_test_that_is_named_exists(document: str, least: int) -> None:
    named = NAMED.findall(document)
    there = tests_by_file()

    assert len(named) > least
    assert [f"{file}::{name}" for file, name in named if name not in there.get(file, set())] == []


def test_the_ten_risks_are_there_in_their_order() -> None:
    assert re.findall(r"(?m)^\| \*\*API(\d+)\*\* ", SECURITY) == [str(n) for n in range(1, 11)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[:20])
def test_a_row_says_what_could_happen_what_stops_it_and_what_shows_it(row: str) -> None:
    *cells, shown_by = [cell.strip() for cell in row.strip("|").split(" | ")]

    assert all(cells)
    assert re.fullmatch(r"(`test_\w+\.py::test_\w+`(, |$))+", shown_by)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda part: part[:40])
def test_each_defect_of_the_changelog_names_the_test_that_shows_it_gone(defect: str) -> None:
    assert NAMED.search(defect)
