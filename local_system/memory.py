"""What a run folder remembers of its system between calls; no secret is in it."""

import json
from dataclasses import dataclass
from pathlib import Path

from local_system.ports import Ports


@dataclass(frozen=True, slots=True)
class Memory:
    """The system as it was started last; times are RFC 3339."""

    ports: Ports
    database_host: str
    database_port: int
    is_embedded: bool
    started_at: str

    def write(self, run_dir: Path) -> None:
        """Remember it in the run folder."""
        run_dir.mkdir(parents=True, exist_ok=True)
        value = {
            "ports": self.ports.as_json(),
            "database_host": self.database_host,
            "database_port": self.database_port,
            "is_embedded": self.is_embedded,
            "started_at": self.started_at,
        }
        _file(run_dir).write_text(json.dumps(value, indent=1) + "\n")

    @classmethod
    def read(cls, run_dir: Path) -> "Memory | None":
        """Return what the run folder remembers, or None; a damaged file counts as none."""
        try:
            value = json.loads(_file(run_dir).read_text())
            return cls(
                ports=Ports.from_json(value["ports"]),
                database_host=str(value["database_host"]),
                database_port=int(value["database_port"]),
                is_embedded=bool(value["is_embedded"]),
                started_at=str(value["started_at"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _file(run_dir: Path) -> Path:
    return run_dir / "system.json"
