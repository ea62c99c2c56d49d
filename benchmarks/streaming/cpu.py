"""Processor time of each part: the sum over its process and all that it started."""

from collections.abc import Mapping

import psutil

Parts = dict[str, float]
"""CPU seconds by part."""

TASK_MANAGER = "task manager"
PYTHON_WORKERS = "Python workers"
"""A part of its own, though the task manager starts it."""


class CpuMeter:
    """Counts CPU seconds; what a process used before it ended stays counted."""

    def __init__(self, roots: Mapping[str, int]) -> None:
        self._roots = {part: psutil.Process(pid) for part, pid in roots.items()}
        self._seen: dict[tuple[int, float], tuple[str, float]] = {}

    def read(self) -> Parts:
        """Return the CPU seconds of every part so far."""
        for part, root in self._roots.items():
            for process in _tree(root):
                self._count(part, process)
        totals: Parts = dict.fromkeys(self._roots, 0.0)
        for part, seconds in self._seen.values():
            totals[part] = totals.get(part, 0.0) + seconds
        return totals

    def _count(self, part: str, process: psutil.Process) -> None:
        try:
            with process.oneshot():
                times, name, born = process.cpu_times(), process.name(), process.create_time()
        except psutil.NoSuchProcess:
            return  # ended just now; what it used until the last reading is counted
        if part == TASK_MANAGER and name.startswith("python"):
            part = PYTHON_WORKERS
        self._seen[process.pid, born] = (part, times.user + times.system)


def _tree(root: psutil.Process) -> list[psutil.Process]:
    try:
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def used(before: Parts, after: Parts) -> Parts:
    """Return the CPU seconds between two readings."""
    return {part: seconds - before.get(part, 0.0) for part, seconds in after.items()}
