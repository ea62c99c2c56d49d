"""An archive of the world: events, batch tables, decisions and what became of them.

Metros are independent of one another, so each is played by itself and has files of its own: the
archive is the same whatever the number of processes.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from simulator import batch_tables
from simulator.archive import Archive
from simulator.case import Event
from simulator.event_files import STREAM_OF, write_events
from simulator.feature_rows import FeatureRows
from simulator.metros import METROS, providers_of
from simulator.observed import OBSERVED_VIEWS
from simulator.world import World, WorldSettings

_TICK_S = 15.0
_FILE_S = 3600.0
"""One file of events an hour and stream."""
_PARTS = (
    *(f"{table}/date=*/*.parquet" for table in ("decisions", "outcomes", "truth")),
    "events/*/*.jsonl",
    "offline/provider_history/*/*.parquet",
    "offline/provider_profile/*.parquet",
)

Progress = Callable[[float], None]
"""Called with the share done, 0 to 1."""


@dataclass(frozen=True)
class Span:
    """When an archive is: epoch seconds.

    Attributes:
        start_s: The first event.
        close_s: The last request and the last report.
        end_s: The last outcome that is known; what comes later is still open.
    """

    start_s: float
    close_s: float
    end_s: float


@dataclass(frozen=True)
class Contents:
    """What an archive has besides decisions, outcomes, truth and batch tables.

    Attributes:
        events: The events of all streams, for the Flink jobs to compute the views from.
        feature_rows: The rows of the stream views that the decisions' candidates could read.
    """

    events: bool = True
    feature_rows: bool = False


@dataclass(frozen=True)
class Summary:
    """What was written."""

    events: dict[str, int]
    decisions: int
    candidates: int
    offers: int
    feature_rows: int


@dataclass(frozen=True)
class _Shard:
    """What one process plays: one metro."""

    settings: WorldSettings
    span: Span
    directory: Path
    contents: Contents
    metro: int


def write(  # noqa: PLR0913, PLR0917 - what, when, where, and how
    settings: WorldSettings,
    span: Span,
    directory: Path,
    progress: Progress = lambda _share: None,
    contents: Contents = Contents(),
    processes: int = 1,
) -> Summary:
    """Write the archive of a world.

    Args:
        settings: The world.
        span: When.
        directory: Made if need be. What an earlier run left there is removed.
        progress: Is told of what is done.
        contents: What it has besides the decisions.
        processes: How many metros are played at a time.

    Raises:
        ValueError: There was no decision at all.
    """
    _remove_old(directory, contents)
    shards = [
        _Shard(settings, span, directory, contents, metro) for metro in range(settings.metros)
    ]
    if settings.metros == 1:
        summaries = [_write_shard(shards[0], progress)]
    else:
        summaries = list(_in_processes(shards, processes, progress))
    if not sum(summary.decisions for summary in summaries):
        raise ValueError("no request found a candidate: give more hours or more providers")
    events = sum((Counter(summary.events) for summary in summaries), Counter())
    return Summary(
        events=dict(events),
        decisions=sum(summary.decisions for summary in summaries),
        candidates=sum(summary.candidates for summary in summaries),
        offers=sum(summary.offers for summary in summaries),
        feature_rows=sum(summary.feature_rows for summary in summaries),
    )


def _in_processes(shards: list[_Shard], processes: int, progress: Progress) -> Iterator[Summary]:
    settings = shards[0].settings
    counts = providers_of(settings.providers, METROS[: settings.metros])
    done = 0
    # the largest first, so that no process is left with a long one at the end
    largest_first = sorted(shards, key=lambda shard: -counts[shard.metro])
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        sizes = {pool.submit(_write_shard, s): counts[s.metro] for s in largest_first}
        for future in as_completed(sizes):
            done += sizes[future]
            progress(done / settings.providers)
            yield future.result()


def _write_shard(shard: _Shard, progress: Progress = lambda _share: None) -> Summary:
    span, directory, contents = shard.span, shard.directory, shard.contents
    metro = METROS[shard.metro].name
    counts = dict.fromkeys(STREAM_OF.values(), 0)
    with (
        Archive(directory, metro, span.end_s) as archive,
        FeatureRows(directory / "offline", metro) as rows,
    ):
        world = World(
            shard.settings,
            span.start_s,
            f"h{shard.settings.seed}",
            rows.noting(archive) if contents.feature_rows else archive,
            metro=shard.metro,
            observed=contents.feature_rows,
            silent=not contents.events,
        )
        for hour, events in enumerate(_hours(world, span, rows)):
            if contents.events:
                write_events(events, directory, f"{metro}-{hour:05d}", counts)
            progress((world.now_s - span.start_s) / (span.end_s - span.start_s))
    _write_batch_tables(world, shard)
    return Summary(counts, archive.decisions, archive.candidates, archive.offers, rows.written)


def _hours(world: World, span: Span, rows: FeatureRows) -> Iterator[list[Event]]:
    """Play a world and yield its events hour by hour."""
    pending, hour = world.everything(), 1
    while world.now_s < span.end_s:
        is_open = world.now_s < span.close_s
        limit = span.close_s if is_open else span.end_s
        until_s = min(world.now_s + _TICK_S, limit)
        pending += world.tick(until_s, open_for_requests=is_open)
        rows.write_noted(world.observed)
        if world.now_s >= span.start_s + hour * _FILE_S or world.now_s >= span.end_s:
            yield pending
            pending, hour = [], hour + 1


def _write_batch_tables(world: World, shard: _Shard) -> None:
    first = batch_tables.midnight(shard.span.start_s)
    last = batch_tables.midnight(shard.span.end_s)
    offline, metro = shard.directory / "offline", METROS[shard.metro].name
    batch_tables.write_profiles(world.providers, offline, first, metro)
    # the row of the day before serves the hour in which the day's own is not yet published
    batch_tables.write_records(
        world.providers,
        offline,
        first - batch_tables.ONE_DAY,
        last,
        (shard.settings.seed, metro),
    )


def _remove_old(directory: Path, contents: Contents) -> None:
    """Remove the parts of an earlier archive, which could have more hours or other metros."""
    views = OBSERVED_VIEWS if contents.feature_rows else ()
    for pattern in (*_PARTS, *(f"offline/{view}/*/*.parquet" for view in views)):
        for path in directory.glob(pattern):
            path.unlink()
