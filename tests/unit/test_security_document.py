"""docs/security.md names tests: they exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "security.md").read_text("utf-8")
ROWS = [row for row in DOCUMENT.splitlines() if row.startswith("| ") and "`test_" in row]


def tests_by_file() -> dict[str, set[str]]:
    """Return the names of the tests in each file; a name of a file stands for all of that name."""
    found: dict[str, set[str]] = {}
    for file in (ROOT / "tests").rglob("test_*.py"):
        names = found.setdefault(file.name, set())
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                names.add(node.name)
    return found


def test_every_test_that_is_named_exists() -> None:
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", DOCUMENT)
    there = tests_by_file()

    assert len(named) > 40
    assert [f"{file}::{name}" for file, name in named if name not in there.get(file, set())] == []


def test_the_ten_risks_are_there_in_their_order() -> None:
    assert re.findall(r"(?m)^\| \*\*API(\d+)\*\* ", DOCUMENT) == [str(n) for n in range(1, 11)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[:20])
def test_a_row_says_what_could_happen_what_stops_it_and_what_shows_it(row: str) -> None:
    *cells, shown_by = [cell.strip() for cell in row.strip("|").split(" | ")]

    assert all(cells)
    assert re.fullmatch(r"(`test_\w+\.py::test_\w+`(, |$))+", shown_by)
