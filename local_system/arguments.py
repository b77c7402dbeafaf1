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
