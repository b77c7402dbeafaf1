"""What goes wrong for a person at the terminal: one line that names the remedy."""

import os
import select
import sys
from collections.abc import Callable

_INTERRUPTED = 130
_NOBODY_READS = 141
"""As a shell says that SIGPIPE ended a program."""


class LocalSystemError(Exception):
    """The system cannot be set up, started or reached; the message names the remedy."""


def run_verb(verb: Callable[[], int]) -> None:
    """Run a verb and leave with its exit code, without a traceback for what was foreseen.

    A failure is one line on standard error and exit code 1; Ctrl-C is exit code 130. Nothing is
    said when whoever reads the output has enough of it (``scripts/status | head -1``).
    """
    try:
        code = _code_of(verb)
        sys.stdout.flush()
    except BrokenPipeError:
        if not _reader_is_gone():
            raise
        # What is left goes nowhere; Python would complain of it at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = _NOBODY_READS
    sys.exit(code)


def _code_of(verb: Callable[[], int]) -> int | str | None:
    try:
        return verb()
    except LocalSystemError as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return _INTERRUPTED
    except SystemExit as end:  # --help, or a command line that is none
        return end.code


def _reader_is_gone() -> bool:
    poll = select.poll()
    poll.register(sys.stdout, 0)
    return bool(poll.poll(0))
