"""Writes the OpenAPI documents of all services, from their handlers and schema files.

They are what the services say of themselves at /openapi.json, in YAML, with the addresses at which
scripts/up and Docker Compose run them. The tests fail while a file says something else.
"""

import difflib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import customers_api.document
import gateway.document
import orders_api.document
from gateway.documents import combined
from gateway.orchestrator_document import orchestrator_document
from local_system.arguments import parser
from local_system.construction import ROOT
from local_system.failures import run_verb
from service_kit.openapi_components import Document

_HEAD = "# Written by scripts/openapi from the handlers and the schema files: change those.\n"
_LINE = 100

_LOCAL = "A system that scripts/up or Docker Compose runs."
_API_GATEWAY = {
    "url": "https://{api}.execute-api.{region}.amazonaws.com",
    "description": "API Gateway (HTTP API), where the function is deployed.",
    "variables": {
        "api": {"default": "a1b2c3d4e5", "description": "The id of the API."},
        "region": {"default": "eu-west-1", "description": "The region of the deployment."},
    },
}


@dataclass(frozen=True, slots=True)
class Publication:
    """A file and what is written to it: a document, with servers for whoever reads the file."""

    path: str
    document: Callable[[], Document]
    servers: list[Document]

    def text(self) -> str:
        """Return the file's text as it should be."""
        return _HEAD + as_yaml({**self.document(), "servers": self.servers})


def combined_document() -> Document:
    """Return what the gateway says when both services are there."""
    services = [customers_api.document.document(), orders_api.document.document()]
    return combined(gateway.document.own_document(), services)


def _local(port: int) -> Document:
    return {"url": f"http://127.0.0.1:{port}", "description": _LOCAL}


PUBLICATIONS = [
    Publication("customers_api/openapi.yaml", customers_api.document.document, [_local(3001)]),
    Publication("orders_api/openapi.yaml", orders_api.document.document, [_local(3002)]),
    Publication(
        "orchestrator_image/openapi.yaml", orchestrator_document, [_local(3000), _API_GATEWAY]
    ),
    Publication("gateway/openapi.yaml", combined_document, [_local(3000)]),
]


class _BlockStyle(yaml.SafeDumper):
    """Writes lists indented, texts as they are, and everything where it is used."""

    def ignore_aliases(self, _data: Any) -> bool:
        """Write the same part twice rather than refer to it."""
        return True

    def increase_indent(
        self,
        flow: bool = False,
        indentless: bool = False,  # noqa: ARG002  # what it would be is what we do not want
    ) -> None:
        """Indent the items of a list."""
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_BlockStyle.add_representer(str, _text)


def as_yaml(document: Document) -> str:
    """Return the document in YAML that people can read and compare."""
    text: str = yaml.dump(
        document, Dumper=_BlockStyle, sort_keys=False, allow_unicode=True, width=_LINE
    )
    return text


def differences(root: Path) -> dict[str, str]:
    """Return what is to change in each file that is not as it should be (unified diff)."""
    found = {}
    for publication in PUBLICATIONS:
        file = root / publication.path
        there = file.read_text("utf-8") if file.is_file() else ""
        should_be = publication.text()
        if there != should_be:
            lines = difflib.unified_diff(
                there.splitlines(keepends=True),
                should_be.splitlines(keepends=True),
                publication.path,
                f"{publication.path}, from the code",
            )
            found[publication.path] = "".join(lines)
    return found


def write(root: Path) -> list[str]:
    """Write the files that are not as they should be; return which."""
    changed = []
    for publication in PUBLICATIONS:
        file, text = root / publication.path, publication.text()
        if not file.is_file() or file.read_text("utf-8") != text:
            file.write_text(text, "utf-8")
            changed.append(publication.path)
    return changed


def main() -> int:
    """Write the documents, or say what differs."""
    arguments = parser(
        "openapi",
        __doc__,
        """
        examples:
          scripts/openapi             after a change of a handler's docstring or of a schema file
          scripts/openapi --check     says what differs and fails, changes nothing
        """,
    )
    arguments.add_argument(
        "--check", action="store_true", help="change nothing; 1 if a file differs"
    )
    if arguments.parse_args().check:
        found = differences(ROOT)
        sys.stdout.writelines(found.values())
        return 1 if found else 0
    changed = write(ROOT)
    for publication in PUBLICATIONS:
        word = "written" if publication.path in changed else "as it was"
        sys.stdout.write(f"{publication.path}: {word}\n")
    return 0


if __name__ == "__main__":
    run_verb(main)
