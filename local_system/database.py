"""The embedded database: a private server process with its own data folder and port."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from local_system import database_binaries, processes
from local_system.database_binaries import Binaries
from local_system.failures import LocalSystemError
from local_system.ports import ADDRESS, free_ports, is_answering
from local_system.private_files import write_private
from local_system.progress import Progress, Silence
from local_system.sockets import remove_folder, socket_folder

_SETTINGS = (
    "--character-set-server=utf8mb4",
    "--default-time-zone=+00:00",
    "--max-connections=200",
    "--innodb-buffer-pool-size=256M",
    "--performance-schema=OFF",
    # Accounts match by address: without this, 127.0.0.1 turns into localhost before it is matched.
    "--skip-name-resolve",
    "--skip-log-bin",
)
_DURABLE = ("--innodb-flush-log-at-trx-commit=1",)
# For databases that live as long as a test run: what the machine's crash would lose is not missed.
_FAST = ("--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync")
_OF_FLAVOUR = {
    "mariadb": (),
    # The second protocol would listen on a port of its own; the package's folder may not exist.
    "mysql": ("--mysqlx=OFF", "--secure-file-priv=NULL"),
}
_START_SECONDS = 60.0
_STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class DatabaseServer:
    """Where a server is, and who its administrator is."""

    host: str
    port: int
    admin_user: str
    admin_password: str = field(repr=False)

    def variables(self) -> dict[str, str]:
        """Return the environment variables that name this server to `db.migrate` and `db.seed`."""
        return {
            "MYSQL_HOST": self.host,
            "MYSQL_PORT": str(self.port),
            "MYSQL_ADMIN_USER": self.admin_user,
            "MYSQL_ADMIN_PASSWORD": self.admin_password,
        }


@dataclass(frozen=True, slots=True)
class EmbeddedDatabase:
    """A server of our own in a folder; ``fast`` gives up durability for speed."""

    folder: Path
    socket: Path
    port: int
    binaries: Binaries
    fast: bool = False

    @property
    def data(self) -> Path:
        """The server's data folder: there only when it is complete."""
        return self.folder / "data"

    def prepare(self, admin_user: str, admin_password: str, log: Path) -> None:
        """Initialise the data folder if it is not, and note the administrator's password.

        Raises:
            LocalSystemError: initialisation failed, or the data are another server's.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._temporary.mkdir(exist_ok=True)
        if self.data.exists():
            self._check_flavour()
        else:
            self._initialise(log)
        write_private(self._init_file, administrator_sql(admin_user, admin_password))

    def command(self) -> list[str]:
        """Return the command line of the server; it stays in the foreground."""
        files = {
            "datadir": self.data,
            "socket": self.socket,
            "pid-file": self.folder / "server.pid",
            "tmpdir": self._temporary,
            # Read before anybody can connect, at every start: there is no moment without password.
            "init-file": self._init_file,
        }
        return [
            str(self.binaries.server),
            "--no-defaults",  # the machine's own configuration is for the machine's own server
            *_as_root(),
            *(f"--{name}={path}" for name, path in files.items()),
            f"--port={self.port}",
            f"--bind-address={ADDRESS}",
            *_SETTINGS,
            *(_FAST if self.fast else _DURABLE),
            *_OF_FLAVOUR[self.binaries.flavour],
        ]

    @property
    def _temporary(self) -> Path:
        # Not the machine's: a server that starts deletes there what another one is working with.
        return self.folder / "tmp"

    @property
    def _init_file(self) -> Path:
        return self.folder / "init.sql"

    @property
    def _maker(self) -> Path:
        return self.folder / "made-by.json"

    def _initialise(self, log: Path) -> None:
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        # Relative to where it runs: MariaDB's initialiser stumbles over a blank in a path.
        common = [*_as_root(), f"--datadir=./{unfinished.name}"]
        if self.binaries.initialiser is None:
            command = [str(self.binaries.server), "--no-defaults", "--initialize-insecure", *common]
        else:
            command = [str(self.binaries.initialiser), "--no-defaults", "--skip-test-db"]
            command += ["--auth-root-authentication-method=normal", *common]
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w") as output:
            done = subprocess.run(
                command,
                cwd=self.folder,
                env={**os.environ, "TMPDIR": str(self._temporary)},
                stdout=output,
                stderr=output,
                check=False,
            )
        if done.returncode != 0:
            raise LocalSystemError(f"the database's data folder cannot be made: see {log}")
        self._maker.write_text(json.dumps({"flavour": self.binaries.flavour}))
        # Renamed last: an initialisation that was broken off is begun again, not used.
        unfinished.rename(self.data)

    def _check_flavour(self) -> None:
        made_by = json.loads(self._maker.read_text())["flavour"]
        if made_by != self.binaries.flavour:
            raise LocalSystemError(
                f"the data in {self.folder} are of a {made_by} server, this machine's is "
                f"{self.binaries.flavour}: forget them by scripts/down --wipe, or install the other"
            )


@contextmanager
def temporary_server(
    folder: Path, *, fast: bool = True, progress: Progress | None = None
) -> Iterator[DatabaseServer]:
    """Run a server in the folder for as long as the block: for tests.

    Raises:
        LocalSystemError: there is no server program, or it did not start; names the log.
    """
    binaries = database_binaries.find_or_install(folder / "apt.log", progress or Silence())
    memory = folder / "socket-folder"
    port = free_ports(1)[0]
    database = EmbeddedDatabase(
        folder, socket_folder(memory) / "mysql.sock", port, binaries, fast=fast
    )
    server = DatabaseServer(ADDRESS, port, "root", "temporary")
    database.prepare(server.admin_user, server.admin_password, folder / "initialise.log")
    log = folder / "server.log"
    with log.open("a") as output:
        process = subprocess.Popen(
            processes.bound_to_parent(database.command(), "KILL"),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C in the terminal is for the tests, which then stop it
        )
    try:
        _wait_until_answering(process, port, log)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        remove_folder(memory)


def _wait_until_answering(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    ended_or_answering = processes.wait_until(
        lambda: process.poll() is not None or is_answering(port), _START_SECONDS
    )
    if not ended_or_answering or process.poll() is not None:
        raise LocalSystemError(f"the database server did not start: see {log}")


def _as_root() -> list[str]:
    """Servers refuse to run as root unless they are told that it is meant."""
    return ["--user=root"] if os.geteuid() == 0 else []


def administrator_sql(user: str, password: str) -> str:
    """Return the statements, one a line, that make the administrator's only accounts."""
    name, secret = _quoted(user), _quoted(password)
    accounts = [f"{name}@'127.0.0.1'", f"{name}@'localhost'"]
    lines = []
    for account in accounts:
        lines.append(f"CREATE USER IF NOT EXISTS {account} IDENTIFIED BY {secret};")
        lines.append(f"ALTER USER {account} IDENTIFIED BY {secret};")
        lines.append(f"GRANT ALL PRIVILEGES ON *.* TO {account} WITH GRANT OPTION;")
    # Accounts without a password that an initialisation leaves behind.
    lines += [
        f"DROP USER IF EXISTS 'root'@{_quoted(host)};" for host in ("::1", socket.gethostname())
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
