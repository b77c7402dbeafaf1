"""What goes wrong for a person at the terminal: one line that names the remedy."""

import sys
from collections.abc import Callable


class LocalSystemError(Exception):
    """The system cannot be set up, started or reached; the message names the remedy."""


def run_verb(verb: Callable[[], int]) -> None:
    """Run a verb and leave with its exit code, without a traceback for what was foreseen.

    A failure is one line on standard error and exit code 1; Ctrl-C is exit code 130.
    """
    try:
        code = verb()
    except LocalSystemError as failure:
        print(f"error: {failure}", file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        code = 130
    sys.exit(code)
