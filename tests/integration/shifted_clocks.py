"""Processes whose clock is not the database's: wrong from the start, or set while they run."""

from dataclasses import dataclass
from pathlib import Path

from local_system import debian_packages
from local_system.progress import Silence

_FOLDERS = ("/usr/lib", "/usr/local/lib")
_LIBRARY = "faketime/libfaketimeMT.so.1"
_REMEDY = "install it (apt-get install libfaketime)"


def find() -> Path | None:
    """Return the library that shifts the clock of a process."""
    found = (file for folder in _FOLDERS for file in Path(folder).glob(f"**/{_LIBRARY}"))
    return next(found, None)


def find_or_install(log: Path) -> Path:
    """Return the library on this machine; install it by apt when there is none.

    Raises:
        LocalSystemError: there is none and it cannot be installed; names what to do.
    """
    return debian_packages.found_or_installed(
        find, ("libfaketime",), "libfaketime", _REMEDY, log, Silence()
    )


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock of processes; its file says by how many seconds it is ahead."""

    library: Path
    file: Path

    def set_ahead(self, seconds: int) -> None:
        """Set the clock, also of processes that run: they read the file each time."""
        replacement = self.file.with_suffix(".new")
        replacement.write_text(f"{seconds:+}\n")
        replacement.rename(self.file)

    @property
    def variables(self) -> dict[str, str]:
        """The environment of the processes that go by this clock."""
        return {
            "LD_PRELOAD": str(self.library),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            # A machine's clock that is set leaves this one alone.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
