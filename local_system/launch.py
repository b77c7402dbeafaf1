"""Becomes the program that a JSON file describes: command, folder and whole environment.

Secrets go to a program by its environment, from a file that only its owner can read: on a command
line everybody on the machine could read them. Started by path, with the standard library alone.
"""

import json
import os
import sys


def main() -> None:
    """Read the file that the command line names and become its program."""
    with open(sys.argv[1], encoding="utf-8") as file:  # noqa: PTH123 - started often: few imports
        program = json.load(file)
    os.chdir(program["folder"])
    command = program["command"]
    os.execvpe(command[0], command, program["environment"])  # noqa: S606 - that is its job


if __name__ == "__main__":
    main()
