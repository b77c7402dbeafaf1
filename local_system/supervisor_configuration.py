"""supervisord's configuration for one system, as text."""

import os
import sys
from pathlib import Path

from local_system.failures import LocalSystemError
from local_system.programs import Program

_LAUNCHER = Path(__file__).with_name("launch.py")

_GENERAL = """\
; Made by scripts/up at each start: edits are lost.

[unix_http_server]
file = {socket}
chmod = 0700

[supervisord]
logfile = {logs}/supervisord.log
logfile_maxbytes = 5MB
logfile_backups = 1
pidfile = {run_dir}/supervisord.pid
childlogdir = {logs}
directory = {root}
{user}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl = unix://{socket}
"""

# autostart off: a service is started when what it needs is there, which supervisord cannot know.
# The command is a launcher with a private file, so that no secret is in this file or in ps.
_PROGRAM = """
[program:{name}]
command = {command}
directory = {root}
priority = {order}
autostart = false
autorestart = true
startsecs = 1
startretries = 20
stopsignal = TERM
stopwaitsecs = {stop_seconds}
stopasgroup = {as_group}
killasgroup = true
redirect_stderr = true
stdout_logfile = {logs}/{name}.log
stdout_logfile_maxbytes = 10MB
stdout_logfile_backups = 3
"""


def configuration(root: Path, run_dir: Path, socket_file: Path, logs: Path) -> str:
    """Return the general part of the configuration."""
    return _GENERAL.format(
        socket=_literal(socket_file),
        logs=_literal(logs),
        run_dir=_literal(run_dir),
        root=_literal(root),
        # Without the line, supervisord warns of it at each start.
        user="user = root\n" if os.geteuid() == 0 else "",
    )


def section(program: Program, root: Path, command: str, logs: Path) -> str:
    """Return the configuration of one program."""
    return _PROGRAM.format(
        name=program.name,
        command=command,
        root=_literal(root),
        order=program.order,
        stop_seconds=program.stop_seconds,
        as_group=str(program.stops_as_group).lower(),
        logs=_literal(logs),
    )


def launch_command(program_file: Path) -> str:
    """Return the command line that becomes the program of a private file.

    Isolated: neither the caller's PYTHONPATH nor this folder's modules may stand in for others.
    """
    parts = [sys.executable, "-I", "-S", str(_LAUNCHER), str(program_file)]
    return " ".join(f'"{_literal(Path(part))}"' for part in parts)


def _literal(path: Path) -> str:
    """Return a path as supervisord's configuration takes it.

    Raises:
        LocalSystemError: the path has a character for which its format has no spelling.
    """
    text = str(path)
    if any(character in text for character in '";\n\\') or " #" in text:
        raise LocalSystemError(f"the project must lie in a folder without quotes or ; : {text}")
    return text.replace("%", "%%")
