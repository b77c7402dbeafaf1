"""The images: who runs in them, on what, how big they are, and what must not be in them."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from local_system import environment
from tests.apis import Api
from tests.docker import engine, layers
from tests.docker.composition import IMAGES, SERVICES, clean_copy, image
from tests.docker.engine import docker, inspected, run
from tests.system.orchestrations import first_answer

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

UID = "10001:10001"
SOMEBODY = "54321:54321"
AWS_LAMBDA_USER = "993:990"
LARGEST_MEGABYTES = {**dict.fromkeys(SERVICES, 60), "orchestrator-lambda": 45}
MAIN_MODULES = {
    "customers-api": "customers_api.app",
    "orders-api": "orders_api.app",
    "gateway": "gateway.app",
    "db": "db.migrate",
    "orchestrator": "orchestrator_image.function",
    "orchestrator-lambda": "orchestrator_image.function",
}
MARK = "left-behind-on-this-machine"
LEFT_BEHIND = (
    ".env", ".git/config", ".venv/bin/python", ".run/system.json", ".cache/emulator",
    "customers_api/.env", "gateway/.env.backup", "service_kit/__pycache__/clock.cpython-311.pyc",
    "db/dump.sql.swp", "secrets.txt", "tests/apis.py",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _built(images: None) -> None:
    """Build the images before any test here."""


def locked_down(name: str, program: str, *options: str) -> str:
    """Run a Python program in an image that may write nothing and has no privilege."""
    return docker(
        "run", "--rm", "--network=none", "--read-only", "--cap-drop=ALL",
        "--security-opt=no-new-privileges", "--entrypoint=python", *options, image(name),
        "-c", program,
    )  # fmt: skip


@pytest.mark.parametrize("name", IMAGES)
def test_nobody_runs_as_root(name: str) -> None:
    assert inspected(image(name))["Config"]["User"] == UID


@pytest.mark.parametrize("user", [UID, SOMEBODY])
@pytest.mark.parametrize("name", IMAGES)
def test_any_user_can_run_it_and_change_nothing_in_it(name: str, user: str) -> None:
    program = (
        f"import os, {MAIN_MODULES[name]} as main; from pathlib import Path;"
        " folders = [Path(main.__file__).parent, Path('/opt/venv'), Path('/etc'), Path.cwd()];"
        " print(os.getuid(), [str(f) for f in folders if os.access(f, os.W_OK)])"
    )
    # Without --read-only nothing but the owners of the files keeps it from writing.
    writable = docker(
        "run", "--rm", "--network=none", f"--user={user}", "--entrypoint=python", image(name),
        "-c", program,
    )  # fmt: skip

    assert writable == f"{user.partition(':')[0]} []"
    assert locked_down(name, program, f"--user={user}") == writable


@pytest.mark.parametrize("name", IMAGES)
def test_every_module_is_loaded_from_bytecode_that_is_never_checked(name: str) -> None:
    program = "\n".join(
        [
            f"import sys, {MAIN_MODULES[name]}",
            "from pathlib import Path",
            "for module in list(sys.modules.values()):",
            "    spec = getattr(module, '__spec__', None)",
            "    if spec and spec.has_location and spec.cached:",
            "        kept = Path(spec.cached)",
            "        # Flags, PEP 552: 1 is a hash that is not checked.",
            "        if not kept.exists() or kept.read_bytes()[4:8] != bytes([1, 0, 0, 0]):",
            "            print(spec.name)",
        ]
    )

    assert locked_down(name, program) == ""


@pytest.mark.parametrize("name", LARGEST_MEGABYTES)
def test_an_image_is_small_over_its_base(name: str) -> None:
    over_base = inspected(image(name))["Size"] - inspected(engine.BASE_IMAGES[0])["Size"]

    assert 0 < over_base / 1e6 < LARGEST_MEGABYTES[name]


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_says_what_it_is(name: str, clone: Path) -> None:
    labels = inspected(image(name))["Config"]["Labels"]
    project = tomllib.loads((clone / "pyproject.toml").read_text())["project"]

    said = {
        key.removeprefix("org.opencontainers.image."): value
        for key, value in labels.items()
        if key.startswith("org.opencontainers.image.")
    }
    assert said.keys() == {"title", "description", "licenses", "version", "revision"}
    assert (said["licenses"], said["version"]) == (project["license"], project["version"])
    assert all(said.values())


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_stops_on_sigterm_and_tells_whether_it_lives(name: str) -> None:
    configuration = inspected(image(name))["Config"]

    assert configuration["StopSignal"] == "SIGTERM"
    assert configuration["Entrypoint"][:2] == ["python", "-m"]
    assert configuration["Healthcheck"]["Test"][-1] == "/health/live"


def test_the_function_is_started_by_the_runtime_client_alone() -> None:
    configuration = inspected(image("orchestrator-lambda"))["Config"]

    assert configuration["Entrypoint"] == ["python", "-m", "awslambdaric"]
    assert configuration["Cmd"] == ["orchestrator_image.app.handler"]
    assert configuration["WorkingDir"] == "/var/task"


def test_the_function_has_no_emulator_no_compiler_and_no_other_part_of_the_system() -> None:
    programs = ("aws-lambda-rie", "gcc", "cc", "g++", "make", "ld")
    modules = ("tornado", "aiomysql", "pymysql", "cryptography", "service_kit.database", "db")
    program = (
        "import shutil, importlib.util as u;"
        f" print([name for name in {programs} if shutil.which(name)],"
        f" [name for name in {modules} if u.find_spec(name)])"
    )
    emulator = "usr/local/bin/aws-lambda-rie"

    assert locked_down("orchestrator-lambda", program) == "[] []"
    assert layers.found_in([image("orchestrator-lambda")], [emulator]) == set()
    assert layers.found_in([image("orchestrator")], [emulator]) == {emulator}


@pytest.fixture
def emulator_binary(tmp_path: Path) -> Path:
    container = docker("create", image("orchestrator"))
    try:
        docker("cp", f"{container}:/usr/local/bin/aws-lambda-rie", str(tmp_path))
    finally:
        docker("rm", container)
    return tmp_path / "aws-lambda-rie"


@pytest.fixture
def function(emulator_binary: Path, clone: Path) -> Iterator[str]:
    """Run what goes to AWS as AWS does: its own user, nothing to write to; return its address."""
    container = docker(
        "run", "--detach", "--read-only", f"--user={AWS_LAMBDA_USER}", "--cap-drop=ALL",
        "--publish=127.0.0.1::8080", f"--volume={emulator_binary}:/emulator:ro",
        f"--env-file={clone / 'orchestrator_image' / '.env'}", "--entrypoint=/emulator",
        image("orchestrator-lambda"), "python", "-m", "awslambdaric",
        "orchestrator_image.app.handler",
    )  # fmt: skip
    try:
        yield "http://" + docker("port", container, "8080/tcp").splitlines()[0]
    finally:
        docker("rm", "--force", container)


async def test_the_function_works_as_the_user_that_aws_gives_it(function: str) -> None:
    async with aiohttp.ClientSession() as session:
        answer = await first_answer(Api(session, function, None), {"customer_id": 1})

    assert answer["error"]["code"] == "VALIDATION_FAILED"
    assert [e["pointer"] for e in answer["error"]["errors"]]


def test_no_secret_is_in_a_layer_or_in_the_history(clone: Path) -> None:
    secrets = {
        value
        for variables in environment.read_all(clone).values()
        for name, value in variables.items()
        if any(word in name for word in ("SECRET", "TOKEN", "PASSWORD"))
    }
    names = [image(name) for name in IMAGES]

    # The search finds what is there.
    there = "running with published example secrets"
    assert layers.found_in(names, [*secrets, there]) == {there}
    history = "".join(docker("history", "--no-trunc", name) for name in names)
    assert [secret for secret in secrets if secret in history] == []
    assert len(secrets) == 6


def test_what_a_machine_leaves_behind_is_not_sent_to_the_builder(tmp_path: Path) -> None:
    copy = clean_copy(tmp_path / "copy")
    for name in LEFT_BEHIND:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text(MARK)

    run(
        "docker", "buildx", "build", f"--output=type=local,dest={tmp_path / 'sent'}",
        "--file=-", str(copy), given="FROM scratch\nCOPY . /\n",
    )  # fmt: skip

    sent = [file for file in (tmp_path / "sent").rglob("*") if file.is_file()]
    assert {file.relative_to(tmp_path / "sent").parts[0] for file in sent} == {
        "customers_api", "db", "gateway", "orchestrator_image", "orders_api", "requirements",
        "service_kit",
    }  # fmt: skip
    assert [file for file in sent if MARK in file.read_text(errors="replace")] == []
    assert [file for file in sent if file.name.startswith(".env")] == []
