"""An archive of the world: events as JSON lines, batch tables, decisions and outcomes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from flink_jobs.event_schemas import (
    DISPATCH_EVENTS,
    PROVIDER_AVAILABILITY,
    PROVIDER_GPS,
    TRAFFIC,
    WEATHER,
    ArchivedRecord,
    AvailabilityEvent,
    DispatchEvent,
    GpsEvent,
    TrafficEvent,
    WeatherEvent,
)
from simulator import batch_tables
from simulator.case import Event
from simulator.journal import Journal
from simulator.world import World, WorldSettings

STREAM_OF: dict[type[Event], str] = {
    GpsEvent: PROVIDER_GPS,
    AvailabilityEvent: PROVIDER_AVAILABILITY,
    WeatherEvent: WEATHER,
    TrafficEvent: TRAFFIC,
    DispatchEvent: DISPATCH_EVENTS,
}
_TICK_S = 15.0
_TRANSIT_MS = 400
"""From an event to its arrival on the stream."""
_FILE_S = 3600.0
"""One file an hour and stream."""


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
class Summary:
    """What was written."""

    events: dict[str, int]
    decisions: int
    offers: int


def write(
    settings: WorldSettings,
    span: Span,
    directory: Path,
    progress: Callable[[float], None] = lambda _share: None,
) -> Summary:
    """Write the archive of a world.

    Args:
        settings: The world.
        span: When.
        directory: Made if need be. What an earlier run left in ``events`` and ``offline`` under
            the same names is replaced.
        progress: Called with the share done, 0 to 1.
    """
    journal = Journal()
    world = World(settings, span.start_s, f"h{settings.seed}", journal)
    counts = dict.fromkeys(STREAM_OF.values(), 0)
    _remove_old(directory)
    hour, pending = 0, world.everything()
    while world.now_s < span.end_s:
        is_open = world.now_s < span.close_s
        limit = span.close_s if is_open else span.end_s
        until_s = min(world.now_s + _TICK_S, limit)
        pending += world.tick(until_s, open_for_requests=is_open)
        if world.now_s >= span.start_s + (hour + 1) * _FILE_S or world.now_s >= span.end_s:
            _append(pending, directory, hour, counts)
            pending, hour = [], hour + 1
            progress((world.now_s - span.start_s) / (span.end_s - span.start_s))
    journal.write(directory, span.end_s)
    first, last = batch_tables.midnight(span.start_s), batch_tables.midnight(span.end_s)
    offline = directory / "offline"
    batch_tables.write_profiles(world.providers, offline, first)
    # the row of the day before serves the hour in which the day's own is not yet published
    batch_tables.write_records(
        world.providers, offline, settings.seed, first - batch_tables.ONE_DAY, last
    )
    return Summary(counts, len(journal.decisions), len(journal.outcomes))


def _remove_old(directory: Path) -> None:
    """Remove the parts of an earlier archive, which could have more hours or other days."""
    for pattern in ("events/*/*.jsonl", "offline/provider_history/*/*.parquet"):
        for path in directory.glob(pattern):
            path.unlink()


def _append(events: list[Event], directory: Path, hour: int, counts: dict[str, int]) -> None:
    encoder = msgspec.json.Encoder()
    for kind, stream in STREAM_OF.items():
        of_stream = [event for event in events if type(event) is kind]
        if not of_stream:
            continue
        counts[stream] += len(of_stream)
        path = directory / "events" / stream / f"{hour:05d}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoder.encode_lines([_archived(event, encoder) for event in of_stream]))


def _archived(event: Event, encoder: msgspec.json.Encoder) -> ArchivedRecord:
    return ArchivedRecord(event.ts + _TRANSIT_MS, encoder.encode(event).decode())
