"""What processes have used of the machine, by the operating system's accounts."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Account:
    """A program: a process with all its descendants (workers; the function of an emulator)."""

    pid: int

    def cpu_seconds(self) -> float:
        """Return the CPU time, user's and system's, that those have used that run now."""
        return sum(sum(process.cpu_times()[:2]) for process in self._processes())

    def memory_bytes(self) -> int:
        """Return the resident memory of the largest of the processes."""
        return max(process.memory_info().rss for process in self._processes())

    def keep_to(self, processors: Iterable[int]) -> None:
        """Keep all threads that run now, and those that they start, to these processors."""
        for process in self._processes():
            for thread in process.threads():
                os.sched_setaffinity(thread.id, processors)

    def _processes(self) -> Iterator[psutil.Process]:
        process = psutil.Process(self.pid)
        yield process
        yield from process.children(recursive=True)
