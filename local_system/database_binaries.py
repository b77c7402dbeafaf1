"""The database server's programs on this machine: found, or installed when they may be."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local_system.failures import LocalSystemError
from local_system.progress import Progress

_SERVERS = (("mariadbd", "mariadb"), ("mysqld", "mysql"))
_INITIALISERS = ("mariadb-install-db", "mysql_install_db")
# Server programs often lie where only the administrator's PATH leads.
_MORE_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/usr/libexec", "/usr/local/mysql/bin")
_PACKAGES = ("mariadb-server-core", "mariadb-client-core")
_REMEDY = (
    f"install one (apt-get install {' '.join(_PACKAGES)}), or name a running one: "
    "MYSQL_HOST, MYSQL_PORT, MYSQL_ADMIN_USER, MYSQL_ADMIN_PASSWORD"
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """One server: ``flavour`` is ``mariadb`` or ``mysql``; MySQL initialises itself."""

    flavour: str
    server: Path
    initialiser: Path | None = None


def find() -> Binaries | None:
    """Return the server on this machine, MariaDB before MySQL."""
    for name, flavour in _SERVERS:
        server = _which(name)
        if server is None:
            continue
        # Older MariaDB packages call their server mysqld as well.
        initialisers = [found for name in _INITIALISERS if (found := _which(name))]
        if flavour == "mysql" and not _is_mariadb(server):
            return Binaries("mysql", server)
        if initialisers:
            return Binaries("mariadb", server, initialisers[0])
    return None


def find_or_install(log: Path, progress: Progress) -> Binaries:
    """Return the server on this machine; install it by apt when there is none.

    Raises:
        LocalSystemError: there is none and it cannot be installed; names what to do.
    """
    binaries = find()
    if binaries is not None:
        return binaries
    with progress.step(f"installing a database server by apt ({', '.join(_PACKAGES)})"):
        _install(log)
    binaries = find()
    if binaries is None:
        raise LocalSystemError(f"no database server was found after its installation: {_REMEDY}")
    return binaries


def _install(log: Path) -> None:
    apt = shutil.which("apt-get")
    if apt is None:
        raise LocalSystemError(f"there is no database server on this machine: {_REMEDY}")
    prefix = _administrator_prefix()
    install = [apt, "-o", "DPkg::Lock::Timeout=120", "install", "-y", "--no-install-recommends"]
    attempts = ([*install, *_PACKAGES], [apt, "update"], [*install, *_PACKAGES])
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        for attempt in attempts:
            done = subprocess.run(
                [*prefix, *attempt],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
                check=False,
            )
            # The first attempt serves a machine whose package lists are there and current.
            if done.returncode == 0 and attempt[-1] != "update":
                return
    raise LocalSystemError(f"apt could not install a database server (see {log}): {_REMEDY}")


def _administrator_prefix() -> list[str]:
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if (
        sudo
        and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0
    ):
        return [sudo, "-n", "--preserve-env=DEBIAN_FRONTEND"]
    raise LocalSystemError(
        f"there is no database server on this machine, and only root may install it: {_REMEDY}"
    )


def _is_mariadb(server: Path) -> bool:
    shown = subprocess.run([server, "--version"], capture_output=True, text=True, check=False)
    return "mariadb" in shown.stdout.lower()


def _which(name: str) -> Path | None:
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *_MORE_FOLDERS])
    found = shutil.which(name, path=path)
    return Path(found) if found else None
