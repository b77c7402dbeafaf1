"""Each service's variables: its `.env.example`, the `.env` made from it, fresh secrets."""

import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from local_system.failures import LocalSystemError

SERVICES = ("customers_api", "orders_api", "orchestrator_image", "gateway", "db")
"""The folders that have a `.env.example`."""

Values = dict[str, dict[str, str]]
"""Variables by folder."""

_ASSIGNMENT = re.compile(r"^([A-Z][A-Z0-9_]*)=.*$")
_PLAIN = re.compile(r"[A-Za-z0-9_.,:/@%+=-]*")
_SECRET_BYTES = 36


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret and every ``(folder, variable)`` where it stands; the first place signs."""

    name: str
    places: tuple[tuple[str, str], ...]
    may_be_several: bool = False


SECRETS = (
    Secret(
        "the operators' secret",
        (
            ("customers_api", "JWT_SECRET"),
            ("orders_api", "JWT_SECRET"),
            ("orchestrator_image", "JWT_SECRET"),
            ("gateway", "JWT_SECRET"),
        ),
        may_be_several=True,
    ),
    Secret(
        "the services' token",
        (
            ("orchestrator_image", "SERVICE_TOKEN"),
            ("orders_api", "SERVICE_TOKEN"),
            ("customers_api", "SERVICE_TOKEN"),
            ("gateway", "SERVICE_TOKEN"),
        ),
        may_be_several=True,
    ),
    Secret("the administrator's password", (("db", "MYSQL_ADMIN_PASSWORD"),)),
    Secret("the migrator's password", (("db", "MIGRATOR_MYSQL_PASSWORD"),)),
    Secret(
        "the password of customers_service",
        (("db", "CUSTOMERS_MYSQL_PASSWORD"), ("customers_api", "MYSQL_PASSWORD")),
    ),
    Secret(
        "the password of orders_service",
        (("db", "ORDERS_MYSQL_PASSWORD"), ("orders_api", "MYSQL_PASSWORD")),
    ),
)


def read(file: Path) -> dict[str, str]:
    """Return the variables of a `.env` file; a name without ``=`` counts as empty."""
    return {name: value or "" for name, value in dotenv_values(file, interpolate=False).items()}


def example_file(root: Path, folder: str) -> Path:
    """Return the committed file that names and explains a service's variables."""
    return root / folder / ".env.example"


def env_file(root: Path, folder: str) -> Path:
    """Return the ignored file that holds a service's values on this machine."""
    return root / folder / ".env"


def read_all(root: Path) -> Values:
    """Return the variables of every `.env` file that is there."""
    files = {folder: env_file(root, folder) for folder in SERVICES}
    return {folder: read(file) for folder, file in files.items() if file.is_file()}


def fresh(root: Path, local: Mapping[str, Mapping[str, str]], existing: Values) -> Values:
    """Return every service's variables: the examples, local addresses and fresh secrets.

    A secret that an existing file has is kept, so that a new file fits to the old ones.
    """
    values = {folder: read(example_file(root, folder)) for folder in SERVICES}
    for folder, variables in local.items():
        values[folder].update(variables)
    for secret in SECRETS:
        value = _kept(secret, existing) or secrets.token_urlsafe(_SECRET_BYTES)
        for folder, variable in secret.places:
            values[folder][variable] = value
    return values | existing


def create_files(root: Path, local: Mapping[str, Mapping[str, str]]) -> list[Path]:
    """Write the `.env` files that are missing and return them; those that are there stay."""
    existing = read_all(root)
    values = fresh(root, local, existing)
    created = []
    for folder in SERVICES:
        if folder not in existing:
            text = filled(example_file(root, folder).read_text(), values[folder])
            if _write_new(env_file(root, folder), text):
                created.append(env_file(root, folder))
    return created


def filled(example: str, values: Mapping[str, str]) -> str:
    """Return the example's text, comments and all, with these values."""
    lines = []
    for line in example.splitlines():
        match = _ASSIGNMENT.match(line)
        lines.append(f"{match[1]}={quoted(values[match[1]])}" if match else line)
    return "\n".join(lines) + "\n"


def disagreements(values: Values) -> list[str]:
    """Return a line for each secret that differs between services that must share it."""
    lines = []
    for secret in SECRETS:
        (folder, variable), *others = secret.places
        first = _parts(secret, values.get(folder, {}).get(variable, ""))[0]
        lines += [
            f"{other}/.env {name} does not have {secret.name} of {folder}/.env {variable}"
            for other, name in others
            if first not in _parts(secret, values.get(other, {}).get(name, ""))
        ]
    return lines


def check_agreement(values: Values) -> None:
    """Refuse files that do not fit together.

    Raises:
        LocalSystemError: names every place and the remedy.
    """
    lines = disagreements(values)
    if lines:
        raise LocalSystemError(
            f"{'; '.join(lines)}: make them equal, or remove one file and let scripts/up write it"
        )


def _kept(secret: Secret, existing: Values) -> str:
    found = (existing.get(folder, {}).get(variable, "") for folder, variable in secret.places)
    return next(filter(None, found), "")


def _parts(secret: Secret, value: str) -> list[str]:
    return [part.strip() for part in value.split(",")] if secret.may_be_several else [value]


def quoted(value: str) -> str:
    """Return a value as a `.env` file has it: in quotes if it is more than a plain word."""
    if _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _write_new(file: Path, text: str) -> bool:
    """Write a file that is never seen half written and never replaces another."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=".env.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w") as stream:
            stream.write(text)
        os.link(temporary, file)
    except FileExistsError:
        return False
    else:
        return True
    finally:
        temporary.unlink()
