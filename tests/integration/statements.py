"""The statements that services send: those that were sent, with their costs, and those in the code.

What a statement costs is counted by the server, in its session's Handler_read counters: every row,
and every entry of an index, that it looked at.
"""

import ast
import inspect
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from service_kit.database_answers import Result
from service_kit.database_driver import DriverConnection

_COUNTERS = "SHOW SESSION STATUS LIKE 'Handler_read%'"
_TOUCHES_ROWS = re.compile(r"(SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH|CALL)\b")
_HOLE = object()
"""A part of a statement that is not known before it is sent."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A statement with its parameters, and its cost.

    ``rows`` is how many it returned, or matched if it returns none.
    """

    sql: str
    rows: int
    read: int


@dataclass(slots=True)
class Recorder:
    """Sees every statement of every connection, also those that are refused."""

    sent: list[Sent] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Stand between the connections and the server: each statement goes by itself."""
        run = DriverConnection.run

        async def counter(raw: DriverConnection) -> int:
            (result,) = await run(raw, [_COUNTERS])
            return sum(int(value) for _, value in result.rows)

        async def recorded(raw: DriverConnection, statements: Sequence[str]) -> list[Result]:
            results = []
            for statement in statements:
                self.texts.append(statement)
                idle, before = await counter(raw), await counter(raw)
                results += await run(raw, [statement])
                # Asking for the counters moves them too.
                read = await counter(raw) - before - (before - idle)
                self.sent.append(Sent(statement, results[-1].matched, read))
            return results

        monkeypatch.setattr(DriverConnection, "run", recorded)


@dataclass(frozen=True, slots=True)
class Written:
    """A statement as the code has it, with holes where it is put together."""

    place: str
    pattern: re.Pattern[str] = field(repr=False)
    known_characters: int = field(repr=False)


def written_in(package: ModuleType) -> Iterator[Written]:
    """Find all statements in the modules of a package: literals that begin like one."""
    folder = Path(inspect.getfile(package)).parent
    for file in sorted(folder.rglob("*.py")):
        place = f"{package.__name__}/{file.relative_to(folder)}"
        for node in _outermost(ast.parse(file.read_text())):
            parts = list(_parts(node))
            first = parts[0]
            if isinstance(first, str) and _TOUCHES_ROWS.match(first):
                pattern = "".join(".*" if part is _HOLE else _pattern(str(part)) for part in parts)
                known = sum(len(part) for part in parts if isinstance(part, str))
                yield Written(f"{place}:{node.lineno}", re.compile(pattern, re.DOTALL), known)


def touching_rows(texts: Iterable[str]) -> list[str]:
    """Leave out what sets a session up and what begins and ends transactions."""
    return [text for text in texts if _TOUCHES_ROWS.match(text)]


def source_of(text: str, written: Iterable[Written]) -> Written | None:
    """Return where in the code a statement that was sent comes from: what fits closest."""
    fitting = (each for each in written if each.pattern.fullmatch(text))
    return max(fitting, key=lambda each: each.known_characters, default=None)


def _outermost(tree: ast.AST) -> Iterator[ast.expr]:
    """Return the expressions that make a text, without those that are a part of another one."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp):
            yield node
        else:
            yield from _outermost(node)


def _parts(node: ast.expr) -> Iterator[Any]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        for part in node.values:
            yield from _parts(part)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from _parts(node.left)
        yield from _parts(node.right)
    else:
        yield _HOLE


def _pattern(literal: str) -> str:
    return ".*".join(map(re.escape, literal.split("%s")))
