"""A composed system: made in a clean copy of the repository, on free ports, as its own project."""

import json
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pymysql.converters import escape_item

from local_system import environment
from local_system.ports import free_ports
from tests.docker import engine
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
TAG = "tests"
COMPOSED_TAG = "tests-composed"
IMAGES = ("customers-api", "orders-api", "gateway", "db", "orchestrator", "orchestrator-lambda")
SERVICES = ("customers-api", "orders-api", "gateway")
EMULATORS = ("lambda-1", "lambda-2", "lambda-curl")
PORTS = ("GATEWAY_PORT", "CUSTOMERS_PORT", "ORDERS_PORT", "RIE_PORT")

BUILD_SECONDS = 400
START_SECONDS = 500

# What a machine leaves behind in a working copy, and what is in no clone.
_LEFT_BEHIND = shutil.ignore_patterns(
    ".git", ".venv", ".run", ".cache", ".*_cache", ".hypothesis", ".env", "__pycache__",
    "node_modules", ".serverless",
)  # fmt: skip


def clean_copy(folder: Path) -> Path:
    """Copy the repository as a clone has it."""
    shutil.copytree(ROOT, folder, ignore=_LEFT_BEHIND)
    return folder


def copy_examples(clone: Path) -> None:
    """Give each service the `.env` that it has after the first of the documented steps."""
    for service in environment.SERVICES:
        shutil.copy(environment.example_file(clone, service), environment.env_file(clone, service))


def image(name: str) -> str:
    """Return the full name of one of our images, as the tests tag it."""
    return f"back-office/{name}:{TAG}"


@dataclass(frozen=True, slots=True)
class ComposedSystem:
    """The system of a clone in containers."""

    clone: Path
    project: str = field(default_factory=lambda: f"back-office-tests-{secrets.token_hex(3)}")
    ports: Mapping[str, int] = field(
        default_factory=lambda: dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    )

    @property
    def variables(self) -> dict[str, str]:
        """What chooses this system's ports and images."""
        return {"IMAGE_TAG": COMPOSED_TAG, **{name: str(port) for name, port in self.ports.items()}}

    def url(self, port: str) -> str:
        """Return the base URL of a published port."""
        return f"http://127.0.0.1:{self.ports[port]}"

    def compose(self, *arguments: str, given: str | None = None, seconds: float = 60) -> str:
        """Run docker compose on this project and return what it printed."""
        command = ["docker", "compose", "--project-name", self.project]
        command += ["--project-directory", str(self.clone), *arguments]
        done = engine.run(*command, variables=self.variables, given=given, seconds=seconds)
        return done.stdout

    def configuration(self) -> Any:
        """Return the compose file as Compose understands it, by service."""
        return json.loads(self.compose("config", "--format", "json"))

    def start(self) -> None:
        """Build and start everything; when it fails, say what the containers logged."""
        try:
            self.compose("up", "--detach", "--build", "--wait", seconds=START_SECONDS)
        except AssertionError as failure:
            logs = self.compose("logs", "--tail", "15")
            raise AssertionError(f"{failure}\n{logs}") from failure

    def remove(self) -> None:
        """Remove containers, networks and volumes; the images stay."""
        self.compose("down", "--volumes", "--timeout", "5", seconds=120)

    def container(self, service: str) -> str:
        """Return the name of a service's container."""
        return f"{self.project}-{service}-1"

    def state(self, service: str) -> Any:
        """Return the state of a service's container."""
        return engine.inspected(self.container(service))["State"]

    def start_again(self, service: str) -> None:
        """Start a service that ended, and wait until it can do its work."""
        engine.docker("start", self.container(service))
        wait_until(
            lambda: self.state(service)["Health"]["Status"] == "healthy",
            f"{service} to be healthy",
            START_SECONDS,
        )

    def log(self, service: str) -> str:
        """Return what a service wrote, standard output alone."""
        return engine.docker("logs", self.container(service))

    def examine(self) -> None:
        """Let the doctor look at the database.

        Raises:
            CalledProcessError: it found something wrong.
        """
        self.compose("run", "--rm", "migrate", "db.doctor")

    def query(self, sql: str, *parameters: object) -> list[tuple[object, ...]]:
        """Run one statement as the administrator; return its rows, every value a text."""
        statement = sql % tuple(escape_item(value, "utf8mb4") for value in parameters)
        program = (
            'MYSQL_PWD="$MYSQL_ADMIN_PASSWORD"'
            " exec mysql --user=root --batch --raw --skip-column-names backoffice"
        )
        printed = self.compose("exec", "-T", "db", "sh", "-c", program, given=statement)
        return [tuple(line.split("\t")) for line in printed.splitlines()]
