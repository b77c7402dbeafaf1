"""What the head of the report says about this machine: which tests it leaves out, and why."""

from tests import database_servers
from tests.docker import engine


def pytest_report_header() -> list[str]:
    missing = engine.missing()
    containers = f"left out, because {missing}" if missing else "built and run here"
    databases = ", ".join(database_servers.available()) or "none"
    return [f"databases: {databases}", f"containers (tests/docker): {containers}"]
