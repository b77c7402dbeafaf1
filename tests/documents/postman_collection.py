"""The Postman collection as its file says it: every request with its folders and scripts."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_system.postman import COLLECTION, ENVIRONMENT

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Call:
    """One request of the collection."""

    identity: str
    folders: tuple[str, ...]
    name: str
    request: Mapping[str, Any] = field(repr=False)
    scripts: Mapping[str, str] = field(repr=False)
    examples: tuple[Mapping[str, Any], ...] = field(repr=False)

    @property
    def place(self) -> str:
        """Where a reader finds it."""
        return " / ".join((*self.folders, self.name))

    @property
    def method(self) -> str:
        """The HTTP method."""
        return str(self.request["method"])

    @property
    def path(self) -> str:
        """The path behind the base URL, variables as they are written."""
        return "/" + "/".join(self.request["url"]["path"])

    @property
    def text(self) -> str:
        """All that is written in it, to be searched."""
        return json.dumps(self.request) + "".join(self.scripts.values())


def collection() -> dict[str, Any]:
    """Return the collection's document."""
    return _read(COLLECTION)


def environment() -> dict[str, Any]:
    """Return the committed environment's document."""
    return _read(ENVIRONMENT)


def calls() -> list[Call]:
    """Return every request, in the order in which they are run."""
    return list(_calls(collection()["item"], ()))


def folders() -> list[Mapping[str, Any]]:
    """Return every folder, the outer ones before those in them."""
    return list(_folders(collection()["item"]))


def scripts_of(events: list[dict[str, Any]]) -> dict[str, str]:
    """Return each script by the event that it listens to: ``prerequest``, ``test``."""
    return {event["listen"]: "\n".join(event["script"]["exec"]) for event in events}


def _calls(items: list[dict[str, Any]], above: tuple[str, ...]) -> Iterator[Call]:
    for item in items:
        if "item" in item:
            yield from _calls(item["item"], (*above, item["name"]))
        else:
            yield Call(
                item["id"],
                above,
                item["name"],
                item["request"],
                scripts_of(item["event"]),
                tuple(item["response"]),
            )


def _folders(items: list[dict[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for item in items:
        if "item" in item:
            yield item
            yield from _folders(item["item"])


def _read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((ROOT / name).read_text(encoding="utf-8"))
    return document
