"""The guards of the rows, in one form: as ``db/schema.sql`` has them, and as a server has them.

A guard is a table's engine, a column (its type, whether it may be NULL, its collation, how it gets
its value), an index (whether it is unique, its columns), a foreign key (its column, what it refers
to, what a deletion does) or a check: of a check the name, and that it is obeyed, for each server
writes the condition in its own way.
"""

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

from db.doctor.facts import facts, not_enforced
from db.doctor.findings import Connection

SCHEMA = Path(__file__).resolve().parent.parent / "schema.sql"

Guards: TypeAlias = dict[tuple[str, str, str], tuple[object, ...]]
"""By table, kind and name."""

_ENGINE, _COLUMN, _INDEX = "engine", "column", "index"
_FOREIGN_KEY, _CHECK = "foreign key", "check"
_OBEYED = ("obeyed",)
_OWN_VALUES = ("auto_increment", "virtual generated")
_DISPLAY_WIDTH = re.compile(r"int\(\d+\)")

_WRITTEN_TABLE = re.compile(
    r"^CREATE TABLE (\w+) \(\n {4}(.*?)\n\) ENGINE = (\w+) [^\n]* COLLATE = (\w+);",
    re.MULTILINE | re.DOTALL,
)
_WRITTEN_COMMENT = re.compile(r"^ *--.*\n", re.MULTILINE)
_WRITTEN_PART_END = re.compile(r",\n {4}(?=\S)")
_WRITTEN_INDEX = re.compile(r"(UNIQUE |PRIMARY )?KEY (\w*) ?\((.*)\)")
_WRITTEN_FOREIGN_KEY = re.compile(
    r"CONSTRAINT (\w+) FOREIGN KEY \((\w+)\) REFERENCES (\w+) \((\w+)\)"
    r"(?:\s+ON DELETE (\w+))?"
)
_WRITTEN_CHECK = re.compile(r"CONSTRAINT (\w+) CHECK")
_WRITTEN_COLUMN = re.compile(
    r"`?(\w+)`? +(\w+(?: ?\([^)]*\))?(?: UNSIGNED)?)"
    r"(?:\s+CHARACTER SET \w+ COLLATE (\w+))?(.*)",
    re.DOTALL,
)


def written() -> Guards:
    """Return the guards that db/schema.sql makes."""
    guards: Guards = {}
    text = _WRITTEN_COMMENT.sub("", SCHEMA.read_text("utf-8"))
    for table, body, engine, collation in _WRITTEN_TABLE.findall(text):
        guards[table, _ENGINE, engine] = _OBEYED
        for part in _WRITTEN_PART_END.split(body):
            kind, name, guard = _written_part(part, collation)
            guards[table, kind, name] = guard
    return guards


def _written_part(part: str, collation: str) -> tuple[str, str, tuple[object, ...]]:
    if index := _WRITTEN_INDEX.match(part):
        uniqueness, name, columns = index.groups()
        plain = columns.replace("`", "").replace(" ", "")
        return _INDEX, name or "PRIMARY", (uniqueness is not None, plain)
    if key := _WRITTEN_FOREIGN_KEY.match(part):
        name, column, other, other_column, rule = key.groups()
        return _FOREIGN_KEY, name, (column, other, other_column, True, rule or "RESTRICT")
    if check := _WRITTEN_CHECK.match(part):
        return _CHECK, check[1], _OBEYED
    column = _WRITTEN_COLUMN.match(part)
    assert column is not None, part  # noqa: S101  # schema.sql has no other kind of part
    name, type_, own_collation, rest = column.groups()
    plain = type_.lower().replace(" (", "(").replace(", ", ",")
    is_text = plain.startswith(("varchar", "text", "enum"))
    how = "auto_increment" if "AUTO_INCREMENT" in rest else None
    how = "virtual generated" if "GENERATED" in rest else how
    kept = own_collation or collation if is_text else None
    return _COLUMN, name, (plain, "NOT NULL" not in rest, kept, how)


def present(connection: Connection, database: str) -> Guards:
    """Return the guards that a server has for a database."""
    return dict(
        [
            *_engines(connection, database),
            *_columns(connection, database),
            *_indexes(connection, database),
            *_foreign_keys(connection, database),
            *_checks(connection, database),
        ]
    )


_Present: TypeAlias = Iterator[tuple[tuple[str, str, str], tuple[object, ...]]]


def _engines(connection: Connection, database: str) -> _Present:
    for table, engine, *_ in facts(connection, database, "tables"):
        yield (str(table), _ENGINE, str(engine)), _OBEYED


def _columns(connection: Connection, database: str) -> _Present:
    for table, name, type_, is_nullable, collation, extra, *_ in facts(
        connection, database, "columns"
    ):
        # MariaDB adds the width at which a terminal would show a number.
        plain = _DISPLAY_WIDTH.sub("int", str(type_).lower())
        how = next((how for how in _OWN_VALUES if how in str(extra).lower()), None)
        yield (str(table), _COLUMN, str(name)), (plain, is_nullable == "YES", collation, how)


def _indexes(connection: Connection, database: str) -> _Present:
    found = sorted(facts(connection, database, "indexes"), key=lambda row: row[:3])
    for (table, name), columns in groupby(found, key=lambda row: row[:2]):
        parts = [(non_unique, column, part) for *_, column, non_unique, _, part, _ in columns]
        names = ",".join(f"{column}({part})" if part else f"{column}" for _, column, part in parts)
        yield (str(table), _INDEX, str(name)), (not parts[0][0], names)


def _foreign_keys(connection: Connection, database: str) -> _Present:
    rules = {row[:2]: row[-1] for row in facts(connection, database, "foreign keys")}
    for table, name, _, column, other, other_column, is_here, _ in facts(
        connection, database, "keys"
    ):
        if other is not None:
            rule = str(rules[table, name]).replace("NO ACTION", "RESTRICT")  # the same in InnoDB
            target = (column, other, other_column, bool(is_here), rule)
            yield (str(table), _FOREIGN_KEY, str(name)), target


def _checks(connection: Connection, database: str) -> _Present:
    ignored = not_enforced(connection, database)
    for table, name, type_ in facts(connection, database, "constraints"):
        if type_ == "CHECK" and name not in ignored:
            yield (str(table), _CHECK, str(name)), _OBEYED
