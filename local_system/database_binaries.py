"""The database server's programs on this machine: found, or installed when they may be."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local_system import debian_packages
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
    return debian_packages.found_or_installed(
        find, _PACKAGES, "database server", _REMEDY, log, progress
    )


def _is_mariadb(server: Path) -> bool:
    shown = subprocess.run([server, "--version"], capture_output=True, text=True, check=False)
    return "mariadb" in shown.stdout.lower()


def _which(name: str) -> Path | None:
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *_MORE_FOLDERS])
    found = shutil.which(name, path=path)
    return Path(found) if found else None
