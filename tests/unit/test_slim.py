"""Making installed packages smaller leaves all of them that is loaded or served."""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from requirements.slim import SERVED_ASSETS, slim, without_sections

# Compiled by four different tools.
PACKAGES = ("uvloop", "aiohttp", "orjson", "yaml")


def installed(package: str) -> Path:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def loads(package: str, folder: Path) -> bool:
    """Say whether a process can use the package from the folder."""
    program = f"import {package}; assert {package}.__file__.startswith({str(folder)!r})"
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(folder)}, check=False
    )
    return done.returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such modules")
@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_still_loads(package: str, tmp_path: Path) -> None:
    shutil.copytree(installed(package), tmp_path / package)

    gone = slim(tmp_path)

    assert gone > 0
    assert loads(package, tmp_path)
    assert slim(tmp_path) == 0


@pytest.mark.parametrize("content", [b"", b"\x7fELF\x01\x01", b"#!/bin/sh\n", b"\x7fELF\x02\x02"])
def test_what_is_no_such_module_stays_as_it_is(content: bytes) -> None:
    assert without_sections(content) == content


def test_of_the_page_what_is_served_stays(tmp_path: Path) -> None:
    shutil.copytree(installed("swagger_ui"), tmp_path / "swagger_ui")

    gone = slim(tmp_path)

    static = tmp_path / "swagger_ui" / "static"
    assert {file.name for file in static.rglob("*") if file.is_file()} == SERVED_ASSETS
    assert gone > 20_000_000
    for name in SERVED_ASSETS:
        original = installed("swagger_ui") / "static" / name
        assert (static / name).read_bytes() == original.read_bytes()
