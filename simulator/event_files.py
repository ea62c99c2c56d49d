"""The events of one metro as JSON lines: one file a stream and hour."""

from collections.abc import Sequence
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
from simulator.case import Event

STREAM_OF: dict[type[Event], str] = {
    GpsEvent: PROVIDER_GPS,
    AvailabilityEvent: PROVIDER_AVAILABILITY,
    WeatherEvent: WEATHER,
    TrafficEvent: TRAFFIC,
    DispatchEvent: DISPATCH_EVENTS,
}
_TRANSIT_MS = 400
"""From an event to its arrival on the stream."""


def write_events(
    events: Sequence[Event], directory: Path, name: str, counts: dict[str, int]
) -> None:
    """Write events to ``events/<stream>/<name>.jsonl`` and count them by stream."""
    encoder = msgspec.json.Encoder()
    for kind, stream in STREAM_OF.items():
        of_stream = [event for event in events if type(event) is kind]
        if not of_stream:
            continue
        counts[stream] += len(of_stream)
        path = directory / "events" / stream / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoder.encode_lines([_archived(event, encoder) for event in of_stream]))


def _archived(event: Event, encoder: msgspec.json.Encoder) -> ArchivedRecord:
    return ArchivedRecord(event.ts + _TRANSIT_MS, encoder.encode(event).decode())
