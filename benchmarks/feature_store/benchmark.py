"""One run of a benchmark: what was asked for, and where it is told."""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import Progress

from benchmarks.feature_store import tables
from benchmarks.feature_store.tables import Found

Done = Callable[..., None]
"""Tells that one, or so many, of a step are done."""


@dataclass(frozen=True)
class Benchmark:
    """The options, the terminal and its progress bar."""

    options: argparse.Namespace
    console: Console
    progress: Progress

    @property
    def redis_options(self) -> list[str]:
        """What every server is started with."""
        return [part for option in self.options.redis for part in option.split("=", 1)]

    @contextmanager
    def step(self, name: str, total: float) -> Iterator[Done]:
        """Show how far a step is; yields what advances it."""
        task = self.progress.add_task(name, total=total)
        yield lambda count=1: self.progress.advance(task, count)
        self.progress.remove_task(task)

    def show(self, title: str, lines: list[Found], caption: str = "") -> None:
        """Print a table."""
        self.console.print(tables.table(title, lines, caption))
