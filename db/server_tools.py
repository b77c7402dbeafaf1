"""The server's own programs for dumping and loading, and how they are told where the server is."""

import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from db.connection import DatabaseError, DatabaseSettings

DUMP, CLIENT = "dump", "client"
PACKAGE = "mariadb-client"
"""The Debian package that has both; MySQL's own is mysql-client, from MySQL's repository."""

_NAMES = {
    (DUMP, True): ("mariadb-dump", "mysqldump"),
    (DUMP, False): ("mysqldump", "mariadb-dump"),
    (CLIENT, True): ("mariadb", "mysql"),
    (CLIENT, False): ("mysql", "mariadb"),
}


@dataclass(frozen=True, slots=True)
class Tool:
    """A program, and whose it is: their options differ."""

    path: str
    is_mariadb: bool


def find(kind: str, *, for_mariadb: bool) -> Tool | None:
    """Return the program on the PATH, that of the server's maker if there is one."""
    found = filter(None, map(shutil.which, _NAMES[kind, for_mariadb]))
    path = next(found, None)
    return Tool(path, _is_mariadb(path)) if path else None


def require(kind: str, *, for_mariadb: bool) -> Tool:
    """Return the program on the PATH.

    Raises:
        DatabaseError: there is none.
    """
    tool = find(kind, for_mariadb=for_mariadb)
    if tool is None:
        names = " nor ".join(_NAMES[kind, for_mariadb])
        raise DatabaseError(
            f"neither {names} is on the PATH: install the server's client programs"
            f" (apt-get install {PACKAGE})"
        )
    return tool


@contextmanager
def running(
    tool: Tool, settings: DatabaseSettings, arguments: Sequence[str], *, is_fed: bool = False
) -> Iterator[IO[bytes]]:
    """Run the program for the block, which reads what it prints, or feeds it.

    It is ended when the block fails or is interrupted.

    Raises:
        DatabaseError: the program failed; gives its complaints.
    """
    with _options(tool, settings) as access, tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            [tool.path, access, *arguments],
            stdin=subprocess.PIPE if is_fed else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if is_fed else subprocess.PIPE,
            stderr=complaints,
        )
        stream = process.stdin or process.stdout
        assert stream is not None  # noqa: S101  # one of them is a pipe
        with process:
            try:
                # A program that stumbled takes no more; over what, is in its complaints.
                with suppress(BrokenPipeError):
                    yield stream
                with suppress(BrokenPipeError):
                    stream.close()
                process.wait()
            except BaseException:
                process.terminate()
                with suppress(BrokenPipeError):
                    stream.close()
                raise
        complaints.seek(0)
        if process.returncode != 0:
            said = complaints.read().decode(errors="replace").strip()
            raise DatabaseError(f"{Path(tool.path).name} failed: {said}")


@contextmanager
def _options(tool: Tool, settings: DatabaseSettings) -> Iterator[str]:
    """Return the option that names a file with address and password, there for the block.

    In a file, never on the command line, which everybody on the machine can read.
    """
    with tempfile.TemporaryDirectory(prefix="database-") as folder:
        file = Path(folder) / "options.cnf"  # in a folder that nobody else may enter
        lines = [
            "[client]",
            "protocol=tcp",
            f"host={_quoted(settings.host)}",
            f"port={settings.port}",
            f"user={_quoted(settings.admin_user)}",
            f"password={_quoted(settings.admin_password)}",
            "default-character-set=utf8mb4",
            *(_mariadb_tls(settings) if tool.is_mariadb else _mysql_tls(settings)),
        ]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        yield f"--defaults-file={file}"


def _mariadb_tls(settings: DatabaseSettings) -> list[str]:
    if not settings.tls:
        return ["skip-ssl"]
    return ["ssl", "ssl-verify-server-cert", f"ssl-ca={_quoted(_authority(settings))}"]


def _mysql_tls(settings: DatabaseSettings) -> list[str]:
    if not settings.tls:
        # The password of a new account would else be refused without encryption.
        return ["get-server-public-key"]
    return ["ssl-mode=VERIFY_IDENTITY", f"ssl-ca={_quoted(_authority(settings))}"]


def _authority(settings: DatabaseSettings) -> str:
    return settings.tls_authority or ssl.get_default_verify_paths().cafile or ""


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _is_mariadb(path: str) -> bool:
    shown = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    return "mariadb" in shown.stdout.lower()
