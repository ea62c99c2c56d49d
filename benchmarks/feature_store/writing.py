"""Batches of new rows: Feast's SDK to either layout, and the row writer."""

import itertools
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.feature_store.made_rows import MadeRows, World, entities_of, make
from benchmarks.feature_store.servers import Server
from benchmarks.feature_store.timing import Costs
from feature_repo.online.row_writer import RowWriter
from feature_repo.schema import PROVIDER_AVAILABILITY, PROVIDER_MOTION, ViewSchema

WRITTEN = (PROVIDER_MOTION, PROVIDER_AVAILABILITY)
_US_PER_S = 1_000_000


@dataclass
class Contestant:
    """A way to write, and the server that it writes to."""

    name: str
    server: Server
    prepare: Callable[[MadeRows], Callable[[], object]]
    costs: Costs = field(default_factory=Costs)


def by_sdk(store: Any) -> Callable[[MadeRows], Callable[[], object]]:
    """Return how Feast's SDK writes a data frame to its online store."""

    def prepare(rows: MadeRows) -> Callable[[], object]:
        frame = rows.frame()
        return lambda: store.write_to_online_store(rows.schema.name, frame)

    return prepare


def by_writer(writer: RowWriter) -> Callable[[MadeRows], Callable[[], object]]:
    """Return how the jobs write columns; the geo index follows."""

    def prepare(rows: MadeRows) -> Callable[[], object]:
        return lambda: writer.write(
            rows.schema, rows.entities, rows.columns, rows.event_us, rows.event_us
        )

    return prepare


@dataclass(frozen=True)
class Batches:
    """What is written in a turn: rows of one view, newer than any before.

    Attributes:
        start_us: Event time of the first.
    """

    schema: ViewSchema
    rows: int
    start_us: int

    def make(self, world: World, number: int) -> MadeRows:
        """Return one batch."""
        entities = entities_of(self.schema, world.some(self.rows))
        return make(self.schema, entities, self.start_us + number * _US_PER_S, world.rng)


def compare(
    contestants: Sequence[Contestant],
    world: World,
    batches: Batches,
    turns: int,
    done: Callable[[], None],
) -> None:
    """Let each write rows of its own in every turn: none finds its work done."""
    for contestant in contestants:
        contestant.costs = Costs()
    numbers = itertools.count()
    for turn in range(turns):
        first = turn % len(contestants)
        for contestant in (*contestants[first:], *contestants[:first]):
            write = contestant.prepare(batches.make(world, next(numbers)))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                contestant.costs.measure(contestant.server, write)
        done()
