"""A tick's reports as the events that go on the streams."""

from collections.abc import Iterator

from flink_jobs.event_schemas import AvailabilityEvent, GpsEvent, TrafficEvent, WeatherEvent
from simulator.case import Event
from simulator.fleet import STATUSES
from simulator.reports import Columns, Reports


def events_of(
    reports: Reports, provider_ids: tuple[str, ...], cells: tuple[str, ...]
) -> Iterator[Event]:
    """Yield the fixes, the weather and the traffic of a tick as events."""
    for kind, columns, names in (
        (GpsEvent, reports.gps, provider_ids),
        (WeatherEvent, reports.weather, cells),
        (TrafficEvent, reports.traffic, cells),
    ):
        values = [column.tolist() for column in columns.values.values()]
        for who, *row in zip(columns.who.tolist(), *values, strict=True):
            yield kind(names[who], columns.ts_ms, *row)


def availability_events(columns: Columns, provider_ids: tuple[str, ...]) -> Iterator[Event]:
    """Yield what providers say of themselves."""
    values = [column.tolist() for column in columns.values.values()]
    for who, status, *row in zip(columns.who.tolist(), *values, strict=True):
        yield AvailabilityEvent(provider_ids[who], columns.ts_ms, STATUSES[status], *row)
