"""Progress for a person at the terminal: what is being done and how long it took.

Everything goes to standard error: standard output is for results.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class Progress:
    """Prints one line for each step, completed by its seconds."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._line_is_open = False

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Print what is being done, then the seconds that it took; a failure closes the line."""
        began = time.monotonic()
        self._write(f"  {what} ...")
        self._line_is_open = True
        try:
            yield
        except BaseException:
            self._close_line(" failed")
            raise
        seconds = f"{time.monotonic() - began:.1f} s"
        if self._line_is_open:
            self._close_line(f" {seconds}")
        else:
            self._write(f"  {what}: done, {seconds}\n")

    def note(self, line: str) -> None:
        """Print a line of its own, also in the middle of a step."""
        self._close_line("")
        self._write(f"  {line}\n")

    def _close_line(self, ending: str) -> None:
        if self._line_is_open:
            self._write(f"{ending}\n")
            self._line_is_open = False

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


class Silence(Progress):
    """For callers that have no one watching, such as tests."""

    def _write(self, text: str) -> None:
        """Print nothing."""
