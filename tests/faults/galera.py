"""A write-set cluster on loopback: three servers of MariaDB with Galera, every one takes writes."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pymysql

from local_system import database_binaries, debian_packages, processes
from local_system.database import DatabaseServer, EmbeddedDatabase, administrator_sql
from local_system.ports import ADDRESS, free_ports
from local_system.progress import Silence
from local_system.sockets import remove_folder, socket_folder
from tests.faults import state_transfer

NODES = 3
START_SECONDS = 60.0
STOP_SECONDS = 20.0

_FOLDERS = ("/usr/lib/galera", "/usr/lib64/galera-4", "/usr/lib64/galera")
_REMEDY = "install it (apt-get install galera-4)"
_POSITION = re.compile(r"Recovered position:\s*(\S+)")
_CLUSTER = (
    "--wsrep-on=ON",
    "--binlog-format=ROW",
    "--innodb-autoinc-lock-mode=2",
    "--innodb-buffer-pool-size=64M",
    f"--wsrep-sst-method={state_transfer.__name__.rpartition('.')[2]}",
    # What was told at one node is found at the others: whoever reads or writes waits until his
    # node has applied all that was committed anywhere before.
    "--wsrep-sync-wait=7",
)
# MariaDB 10.11 would purge meanwhile, which it is not ready for: with the virtual column of
# customers it crashed, or took all memory there is.
_LOOKING_UP = ("--innodb-force-recovery=2",)
_PROVIDER = {
    "gcache.size": "128M",
    # A node that is killed is given up in a second or two; five is usual between machines.
    "evs.keepalive_period": "PT0.3S",
    "evs.inactive_check_period": "PT0.2S",
    "evs.suspect_timeout": "PT1S",
    "evs.inactive_timeout": "PT3S",
    "evs.install_timeout": "PT3S",
}


def find_provider() -> Path | None:
    """Return Galera's library on this machine."""
    files = (Path(folder) / "libgalera_smm.so" for folder in _FOLDERS)
    return next((file for file in files if file.exists()), None)


def find_or_install_provider(log: Path) -> Path:
    """Return Galera's library; install it by apt when there is none.

    Raises:
        LocalSystemError: there is none and it cannot be installed; names what to do.
    """
    return debian_packages.found_or_installed(
        find_provider, ("galera-4",), "Galera", _REMEDY, log, Silence()
    )


@dataclass(slots=True)
class Node:
    """One server of the cluster."""

    database: EmbeddedDatabase
    options: tuple[str, ...]
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def log(self) -> Path:
        """What it says."""
        return self.database.folder / "server.log"

    def start(self, *options: str) -> None:
        """Start the server; return at once."""
        with self.log.open("a") as output:
            self.process = subprocess.Popen(
                processes.bound_to_parent([*self._command(), *options], "KILL"),
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def kill(self) -> None:
        """End the server as a crash of its machine would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End the server."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def rejoin(self) -> None:
        """Start a server that was killed: it looks up how far it got, and fetches the rest."""
        done = subprocess.run(
            [*self._command(), "--wsrep-recover", *_LOOKING_UP],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=STOP_SECONDS,
        )
        (position,) = _POSITION.findall(done.stderr)
        self.start(f"--wsrep-start-position={position}")

    def is_ready(self, user: str, password: str) -> bool:
        """Say whether the server has caught up with the others."""
        try:
            with self._connect(user, password) as connection, connection.cursor() as cursor:
                cursor.execute("SHOW STATUS LIKE 'wsrep_ready'")
                return bool(cursor.fetchall()[0][1] == "ON")
        except pymysql.err.OperationalError:
            assert self.process is not None
            assert self.process.poll() is None, f"a node ended by itself: see {self.log}"
            return False

    def row(self, server: DatabaseServer, query: str, *parameters: object) -> tuple[object, ...]:
        """Return the one row of a query."""
        with (
            self._connect(server.admin_user, server.admin_password) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(query, parameters)
            (row,) = cursor.fetchall()
        return tuple(row)

    def _connect(self, user: str, password: str) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        return pymysql.connect(
            host=ADDRESS,
            port=self.database.port,
            user=user,
            password=password,
            connect_timeout=5,
            read_timeout=10,
        )

    def _command(self) -> list[str]:
        # The accounts are made once, and replicated: a statement of a file at the start would
        # come before the server may write.
        command = self.database.command()
        own = [word for word in command if not word.startswith("--init-file=")]
        return [*own, *self.options]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PATH": f"{self.database.folder.parent}:{os.environ['PATH']}"}


@dataclass(frozen=True, slots=True)
class Cluster:
    """The nodes, and who administers them all."""

    nodes: tuple[Node, ...]
    administrator: DatabaseServer

    @property
    def servers(self) -> list[DatabaseServer]:
        """Every node as a server."""
        return [replace(self.administrator, port=node.database.port) for node in self.nodes]

    def wait_until_ready(self) -> None:
        """Wait until all nodes take work.

        Raises:
            AssertionError: one did not come to that in time.
        """
        user, password = self.administrator.admin_user, self.administrator.admin_password
        for node in self.nodes:
            is_ready = processes.wait_until(lambda: node.is_ready(user, password), START_SECONDS)  # noqa: B023  # done with before the next round
            assert is_ready, f"a node did not get ready: see {node.log}"

    def level(self) -> None:
        """Wait until every node has what was committed at the others (a login does not wait)."""
        for node in self.nodes:
            node.row(self.administrator, "SELECT 1")

    def conflicts(self) -> int:
        """Count the transactions that the nodes undid since they started, for another node's."""
        return sum(
            int(str(node.row(self.administrator, "SHOW STATUS LIKE %s", name)[1]))
            for node in self.nodes
            for name in ("wsrep_local_cert_failures", "wsrep_local_bf_aborts")
        )


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """Run a cluster in the folder for as long as the block.

    Raises:
        LocalSystemError: a program or Galera is missing, and cannot be installed.
    """
    provider = find_or_install_provider(folder / "apt.log")
    binaries = database_binaries.find_or_install(folder / "apt.log", Silence())
    memory = folder / "socket-folder"
    sockets = socket_folder(memory)
    ports = free_ports(3 * NODES)
    listening = ports[NODES : 2 * NODES]
    address = ",".join(f"{ADDRESS}:{port}" for port in listening)
    nodes = tuple(
        Node(
            EmbeddedDatabase(
                folder / f"node-{number}", sockets / f"{number}.sock", port, binaries, fast=True
            ),
            (
                *_CLUSTER,
                f"--wsrep-provider={provider}",
                f"--wsrep-cluster-address=gcomm://{address}",
                f"--wsrep-node-address={ADDRESS}:{listening[number]}",
                f"--wsrep-node-name=node-{number}",
                f"--wsrep-provider-options={_provider(listening[number], ports[-1 - number])}",
            ),
        )
        for number, port in enumerate(ports[:NODES])
    )
    administrator = DatabaseServer(ADDRESS, ports[0], "root", "temporary")
    _write_program(folder)
    try:
        _make(nodes, administrator)
        nodes[0].start("--wsrep-new-cluster")
        for node in nodes[1:]:
            node.start()
        cluster = Cluster(nodes, administrator)
        cluster.wait_until_ready()
        yield cluster
    finally:
        for node in reversed(nodes):
            node.stop()
        remove_folder(memory)


def _provider(listen_port: int, receive_port: int) -> str:
    options = {
        "gmcast.listen_addr": f"tcp://{ADDRESS}:{listen_port}",
        "ist.recv_addr": f"{ADDRESS}:{receive_port}",
        **_PROVIDER,
    }
    return ";".join(f"{name}={value}" for name, value in options.items())


def _write_program(folder: Path) -> None:
    """Put the program by which nodes catch up where servers look for it."""
    name = state_transfer.__name__.rpartition(".")[2]
    program = folder / f"wsrep_sst_{name}"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{state_transfer.__file__}" "$@"\n')
    program.chmod(0o700)


def _make(nodes: tuple[Node, ...], administrator: DatabaseServer) -> None:
    """Make the first node's data, with the administrator in them; the others' are copies."""
    first = nodes[0]
    user, password = administrator.admin_user, administrator.admin_password
    first.database.prepare(user, password, first.database.folder / "initialise.log")
    first.start("--wsrep-new-cluster")
    assert processes.wait_until(lambda: first.is_ready("root", ""), START_SECONDS), first.log
    with first._connect("root", "") as connection, connection.cursor() as cursor:
        for statement in administrator_sql(user, password).splitlines():
            cursor.execute(statement)
    first.stop()
    unlike = shutil.ignore_patterns("galera.cache", "server.log")
    for node in nodes[1:]:
        shutil.copytree(first.database.folder, node.database.folder, ignore=unlike)
