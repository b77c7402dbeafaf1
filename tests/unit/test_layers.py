"""The rules of the house about who may import whom."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

LIGHT_HALF = [
    "clock",
    "correlation",
    "jsons",
    "logs",
    "problems",
    "retrying",
    "schemas",
    "settings",
    "tokens",
    "upstream",
]
HEAVY = {"tornado", "aiomysql", "pymysql", "prometheus_client", "jsonschema", "tornado_swagger"}

MAY_IMPORT = {
    "service_kit": set(),
    "customers_api": {"service_kit"},
    "orders_api": {"service_kit"},
    "gateway": {"service_kit"},
    "orchestrator_image": {"service_kit"},
    "db": {"service_kit"},
    # The services' documents, which scripts/openapi writes down.
    "local_system": {"service_kit", "db", "customers_api", "orders_api", "gateway"},
    "benchmark": {
        "service_kit",
        "db",
        "local_system",
        "deployment",
        "customers_api",
        "orders_api",
    },
    "deployment": {"local_system", "service_kit"},
}
OURS = {*MAY_IMPORT, "tests"}


def modules_of(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def imported_by(module: Path) -> set[str]:
    """Return the full names of all that a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            names |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def rooms_imported_by(room: str) -> set[str]:
    return {
        name.partition(".")[0] for module in modules_of(room) for name in imported_by(module)
    } & OURS


def loaded_by(*modules: str) -> set[str]:
    """Return the top-level modules that are loaded by importing some, in a process of its own."""
    program = f"import {', '.join(modules)}, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_the_rooms_that_it_may(room: str) -> None:
    assert modules_of(room)
    assert rooms_imported_by(room) - {room} <= MAY_IMPORT[room]


def test_every_room_has_its_rule() -> None:
    rooms = {folder.parent.name for folder in ROOT.glob("*/__init__.py")}

    assert rooms <= OURS


def test_the_light_half_imports_nothing_of_the_heavy_one() -> None:
    light = {f"service_kit.{name}" for name in LIGHT_HALF}

    for name in LIGHT_HALF:
        ours = {
            imported
            for imported in imported_by(ROOT / "service_kit" / f"{name}.py")
            if (ROOT / imported.replace(".", "/")).with_suffix(".py").exists()
        }
        assert ours <= light, name


def test_the_light_half_loads_neither_tornado_nor_a_database_driver() -> None:
    loaded = loaded_by(*(f"service_kit.{name}" for name in LIGHT_HALF))

    assert "service_kit" in loaded
    assert not loaded & HEAVY


def test_the_function_stands_on_the_light_half_alone() -> None:
    light = {f"service_kit.{name}" for name in LIGHT_HALF}

    for module in modules_of("orchestrator_image"):
        of_the_kit = {
            imported
            for imported in imported_by(module)
            if imported.startswith("service_kit.")
            and (ROOT / imported.replace(".", "/")).with_suffix(".py").exists()
        }
        assert of_the_kit <= light, module


def test_the_function_starts_without_tornado_or_a_database_driver() -> None:
    assert not loaded_by("orchestrator_image.function") & HEAVY


def test_what_cares_for_the_database_needs_no_service() -> None:
    loaded = loaded_by("db.migrate", "db.seed", "db.backup", "db.restore", "db.doctor.__main__")

    assert not loaded & {"tornado", "aiomysql", "aiohttp", "orjson", "prometheus_client"}


@pytest.mark.parametrize("room", ["customers_api", "orders_api"])
def test_importing_a_service_does_nothing(room: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import {room}.app, {room}.settings, {room}.__main__"],
        cwd=ROOT,
        env={},
        check=True,
        capture_output=True,
        text=True,
    )

    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize("room", ["customers_api", "orders_api"])
def test_sql_is_written_in_repositories_and_under_the_idempotency_keys_alone(room: str) -> None:
    statements = ("SELECT ", "INSERT ", "UPDATE ", "DELETE ")
    with_sql = {
        module.name
        for module in modules_of(room)
        for node in ast.walk(ast.parse(module.read_text("utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith(statements)
    }

    assert with_sql <= {"repository.py", "idempotency.py"}
    assert "repository.py" in with_sql


@pytest.mark.parametrize("room", ["customers_api", "orders_api", "orchestrator_image"])
def test_rules_are_pure(room: str) -> None:
    forbidden = {"asyncio", "os", "socket", "time", "random", "aiohttp", "tornado"}

    for module in modules_of(room):
        if module.name == "rules.py":
            imported = imported_by(module)
            assert not {name.partition(".")[0] for name in imported} & forbidden, module
            assert "service_kit.database" not in imported, module
