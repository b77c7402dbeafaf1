"""A file that is there when it is complete."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from db.whole_files import whole_file


@pytest.fixture(params=["with hard links", "without"])
def file(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    if request.param == "without":
        monkeypatch.setattr(os, "link", refuse)
    return tmp_path / "whole"


def write(file: Path, meanwhile: Callable[[], object] = lambda: None) -> None:
    with whole_file(file) as opened:
        opened.write(b"all of it")
        meanwhile()


def test_it_is_there_at_the_end_for_its_owner_alone(file: Path) -> None:
    write(file, lambda: file.exists() and pytest.fail("it is there before its end"))

    assert file.read_bytes() == b"all of it"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_another_file_of_this_name_is_left_as_it_is(file: Path) -> None:
    with pytest.raises(FileExistsError):
        write(file, lambda: file.write_bytes(b"another"))

    assert file.read_bytes() == b"another"
    assert list(file.parent.iterdir()) == [file]


def test_nothing_is_left_of_one_that_was_not_finished(file: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        write(file, lambda: 1 // 0)

    assert list(file.parent.iterdir()) == []
