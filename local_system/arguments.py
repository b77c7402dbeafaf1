"""Command lines of the verbs, all of one manner: what it does, options, examples."""

import argparse
import inspect


def parser(script: str, description: str, examples: str) -> argparse.ArgumentParser:
    """Return a parser whose ``--help`` ends with examples."""
    return argparse.ArgumentParser(
        prog=f"scripts/{script}",
        description=inspect.cleandoc(description),
        epilog=inspect.cleandoc(examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def positive(text: str) -> int:
    """Return the number of an argument that counts something.

    Raises:
        argparse.ArgumentTypeError: it is not a whole number, or less than one.
    """
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"a whole number from 1, not {text!r}")
    return int(text)
