"""Reading features for serving, on an event loop; what was read a moment ago is not read again.

A gateway asks for the same providers many times a second. A row is read again when Redis has told
that it was written (``changes``), or when it has been kept for as long as ``Keep`` says; until then
the one at hand is used, and its age is told as it is. The rows at hand are also what is left while
Redis is away.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from feature_repo.online.bulk_read import Fields, read_fields_async
from feature_repo.online.changes import Changes
from feature_repo.online.commands import Commands
from feature_repo.online.read_route import ReadRoute
from feature_repo.online.reader import Beacon, ViewRows, wanted_beacons
from feature_repo.online.row_table import KnownRows, Numbers, RowTable
from feature_repo.online.wire import Wire
from feature_repo.schema import BATCH_VIEWS, VIEWS, ViewSchema

_GOLDEN = (5**0.5 - 1) / 2
"""Multiples of it lie evenly between whole numbers (Weyl)."""
_DAILY = frozenset(view.name for view in BATCH_VIEWS)


@dataclass(frozen=True)
class Keep:
    """For how long a row that was read is not read again, and how many are kept.

    Attributes:
        live_s: A row of a stream view where Redis does not tell what changes. The jobs write one
            every 15 s, and availability seconds after the event.
        told_s: A row of a stream view where Redis does.
        daily_s: A row of a batch view, give or take a quarter: rows that were read at one time are
            not all due at another.
        entities: Beyond so many all is forgotten and read again: 45 MB of rows with the history for
            one service, 12 MB for each service more.
    """

    live_s: float = 1.0
    told_s: float = 30.0
    daily_s: float = 600.0
    entities: int = 100_000


@dataclass(frozen=True)
class Group:
    """Views with the same join keys, for the same entities.

    Attributes:
        views: The views.
        rest: The join keys after the first, the same for all entities.
    """

    views: tuple[ViewSchema, ...]
    rest: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entities:
    """What to read for n entities.

    Attributes:
        ids: Their first join key, none twice.
        groups: Their views.
    """

    ids: Sequence[str]
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class _Due:
    """Rows that have to be read: whose, of which views, and how Redis is asked."""

    tables: list[RowTable]
    numbers: Numbers
    commands: bytes


class AsyncFeatureReader:
    """Reads as ``FeatureReader`` does, over connections that an event loop shares.

    Args:
        route: To Redis.
        project: The Feast project.
        keep: For how long a row is not read again.
        changes: What the connections of the route are told; None where they do not listen.
        clock: What tells the time, seconds.
    """

    def __init__(
        self,
        route: ReadRoute[Wire],
        project: str,
        keep: Keep = Keep(),
        changes: Changes | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._route = route
        self._project = project
        self._keep = keep
        self._changes = changes
        self._clock = clock
        self._known = KnownRows()
        self._asking: dict[tuple[str, ...], Commands] = {}

    async def read(self, asked: Sequence[Entities], as_of_us: int) -> dict[str, ViewRows]:
        """Read every view of all entities, in one round trip at most.

        Args:
            asked: What to read.
            as_of_us: The time of the request, epoch us, against which a row's TTL counts.

        Returns:
            View names to their rows, in the order of the entities.

        Raises:
            redis.RedisError: Redis did not answer.
        """
        if len(self._known) > self._keep.entities:
            self._known = KnownRows()
        known = self._known  # another request may begin anew while this one waits
        asked_s = self._clock()
        if self._changes is not None:
            known.changed(self._changes.take(), asked_s)
        numbers = [known.numbers(entities.ids) for entities in asked]
        due = [
            rows
            for entities, of_them in zip(asked, numbers, strict=True)
            for group in entities.groups
            for rows in self._due(known, entities.ids, of_them, group, asked_s)
        ]
        if due:
            data = b"".join([rows.commands for rows in due])
            count = sum(len(rows.numbers) for rows in due)
            answers = await self._route.ask_async(lambda wire: wire.ask(data, count))
            _take(due, answers, asked_s)
        return self._rows(known, asked, numbers, as_of_us)

    def recall(self, asked: Sequence[Entities], as_of_us: int) -> dict[str, ViewRows]:
        """Return what ``read`` would, of the rows read last; those never read are missing."""
        numbers = [self._known.numbers(entities.ids) for entities in asked]
        return self._rows(self._known, asked, numbers, as_of_us)

    def last_entities(self) -> Sequence[str]:
        """Return the first join keys of all entities that were asked for, of whatever kind."""
        return self._known.ids

    def last_values(self, view: ViewSchema, names: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return some columns of a view with one join key, as they were read last.

        Returns:
            float64 [names, entities], in the order of ``last_entities``; NaN where unknown.
        """
        places = [view.column_names.index(name) for name in names]
        return self._known.table(view, ()).columns(places)[:, : len(self._known)]

    async def beacons(self, views: Sequence[str] = tuple(VIEWS)) -> dict[str, Beacon]:
        """Return the beacons that are there, as ``FeatureReader.beacons`` does."""
        wanted = [wanted_beacons(self._project, views)]
        (found,) = await self._route.ask_async(lambda wire: read_fields_async(wire, wanted))
        return found

    def _due(
        self, known: KnownRows, ids: Sequence[str], numbers: Numbers, group: Group, now_s: float
    ) -> Iterator[_Due]:
        """Yield what of a group has to be read; views that are kept equally long together."""
        live = tuple(view for view in group.views if view.name not in _DAILY)
        daily = tuple(view for view in group.views if view.name in _DAILY)
        for views, kept_since_s in (
            (live, self._kept_since_s(known, numbers, now_s)),
            (daily, now_s - self._keep.daily_s * _around_one(numbers)),
        ):
            if not views:
                continue
            tables = [known.table(view, group.rest) for view in views]
            due = [table.read_before(numbers, kept_since_s) for table in tables]
            rows = np.flatnonzero(np.logical_or.reduce(due))
            if len(rows):
                some = ids if len(rows) == len(ids) else [ids[row] for row in rows.tolist()]
                yield _Due(tables, numbers[rows], self._commands(views, group.rest).of(some))

    def _kept_since_s(
        self, known: KnownRows, numbers: Numbers, now_s: float
    ) -> float | npt.NDArray[np.float64]:
        """Return since when live rows that are still good must have been read, one, or n."""
        if self._changes is None or not self._changes.trusted:
            return now_s - self._keep.live_s
        return np.maximum(known.changed_s(numbers), now_s - self._keep.told_s)

    def _commands(self, views: tuple[ViewSchema, ...], rest: tuple[str, ...]) -> Commands:
        names = (*(view.name for view in views), *rest)
        commands = self._asking.get(names)
        if commands is None:
            at_most = 0 if names[0] in _DAILY else self._keep.entities
            commands = self._asking[names] = Commands(self._project, views, rest, at_most)
        return commands

    def _rows(
        self,
        known: KnownRows,
        asked: Sequence[Entities],
        numbers: Sequence[Numbers],
        as_of_us: int,
    ) -> dict[str, ViewRows]:
        return {
            view.name: ViewRows.as_of(view, known.table(view, group.rest).get(of_them), as_of_us)
            for entities, of_them in zip(asked, numbers, strict=True)
            for group in entities.groups
            for view in group.views
        }


def _around_one(numbers: Numbers) -> npt.NDArray[np.float64]:
    """Return 0.75 to 1.25, float64 [n], always the same for an entity."""
    share: npt.NDArray[np.float64] = numbers * _GOLDEN % 1.0
    return 0.75 + share / 2


def _take(due: Sequence[_Due], answers: list[Fields], asked_s: float) -> None:
    remaining = iter(answers)
    for rows in due:
        stored = zip(*islice(remaining, len(rows.numbers)), strict=True)
        for table, of_view in zip(rows.tables, stored, strict=True):
            table.put(rows.numbers, of_view, asked_s)
