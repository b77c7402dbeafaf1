"""The pinned requirements: hashed, of one piece, and silent about where packages come from."""

import re
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements"
FILES = sorted(file.name for file in REQUIREMENTS.glob("*.txt"))
APART = ("emulator.txt", "sam.txt")
"""Not installed where the others are."""

PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    return dict(PIN.findall((REQUIREMENTS / name).read_text()))


@pytest.mark.parametrize("name", FILES)
def test_every_package_is_pinned_with_hashes(name: str) -> None:
    text = (REQUIREMENTS / name).read_text()

    packages = [block for block in re.split(r"\n(?=\S)", text) if not block.startswith("#")]
    assert packages
    for block in packages:
        assert PIN.match(block), block
        assert "--hash=sha256:" in block


@pytest.mark.parametrize("name", [name for name in FILES if name not in APART])
def test_no_file_pins_another_version_than_the_developers(name: str) -> None:
    assert pins(name).items() <= pins("dev.txt").items()


@pytest.mark.parametrize("name", FILES)
def test_no_package_index_is_named(name: str) -> None:
    assert "://" not in (REQUIREMENTS / name).read_text()


def test_the_lambda_image_has_neither_web_server_nor_database_driver() -> None:
    assert not pins("orchestrator.txt").keys() & {"tornado", "aiomysql", "pymysql"}


def test_the_database_driver_is_the_one_that_aiomysql_works_with() -> None:
    assert pins("services.txt")["pymysql"].startswith("1.1.")


def test_sam_brings_the_emulator_that_the_tests_use() -> None:
    assert pins("emulator.txt").items() <= pins("sam.txt").items()
