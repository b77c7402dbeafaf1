"""The doctor and the backup of the composed system, by the commands of docs/data.md."""

import gzip
import re
import stat

import pytest

from db.restore import check
from tests.docker import composition, engine
from tests.docker.composition import ComposedSystem

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

DOCUMENT = (composition.ROOT / "docs" / "data.md").read_text("utf-8")
BLOCKS = re.findall(r"```bash\n(.*?)```", DOCUMENT, re.DOTALL)


def documented(word: str) -> str:
    """Return the one command for containers that has the word in it."""
    joined = "\n".join(BLOCKS).replace("\\\n", " ")
    (command,) = [line for line in joined.splitlines() if "docker compose" in line and word in line]
    return command


def run(system: ComposedSystem, command: str) -> str:
    """Run a command as somebody does who stands in the clone."""
    variables = {**system.variables, "COMPOSE_PROJECT_NAME": system.project}
    script = f"cd {system.clone} && {command}"
    return engine.run("bash", "-c", script, variables=variables, seconds=120).stdout


def test_the_doctor_finds_nothing_wrong(system: ComposedSystem) -> None:
    printed = run(system, documented("db.doctor"))

    assert printed.splitlines()[-1].endswith("checks, all is well")


def test_a_backup_is_whole(system: ComposedSystem) -> None:
    run(system, documented("mysqldump"))

    (file,) = system.clone.glob("backoffice-*.sql.gz")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not check(file), "it does not come from MariaDB"
    dump = gzip.decompress(file.read_bytes())
    assert b"INSERT INTO `orders`" in dump
    assert b"CREATE TABLE `idempotency_keys`" in dump
