"""The events on the streams: what producers promise and what the jobs check.

Every time is epoch milliseconds, UTC. Records are JSON, one event a record.
"""

from typing import Literal

import msgspec

PROVIDER_GPS = "provider-gps"
PROVIDER_AVAILABILITY = "provider-availability"
WEATHER = "weather"
TRAFFIC = "traffic"
DISPATCH_EVENTS = "dispatch-events"
DECISIONS = "decisions"
DEAD_LETTER = "dead-letter"
STREAMS = (
    PROVIDER_GPS,
    PROVIDER_AVAILABILITY,
    WEATHER,
    TRAFFIC,
    DISPATCH_EVENTS,
    DECISIONS,
    DEAD_LETTER,
)


class GpsEvent(msgspec.Struct, frozen=True):
    """A fix from a provider's truck (stream ``provider-gps``, keyed by provider_id)."""

    provider_id: str
    ts: int
    lat: float
    lon: float
    speed_kph: float
    heading_deg: float
    accuracy_m: float


class AvailabilityEvent(msgspec.Struct, frozen=True):
    """A provider's own word on its state (``provider-availability``, keyed by provider_id)."""

    provider_id: str
    ts: int
    status: Literal["available", "en_route", "on_scene", "offline"]
    active_jobs: int
    capacity: int
    shift_end_ts: int


class WeatherEvent(msgspec.Struct, frozen=True):
    """An observation for one H3 cell of resolution 7 (``weather``, keyed by cell)."""

    cell: str
    ts: int
    precip_mm_h: float
    snow_cm: float
    temp_c: float
    wind_kph: float
    visibility_km: float
    alert_level: int


class TrafficEvent(msgspec.Struct, frozen=True):
    """Road state of one H3 cell of resolution 7 (``traffic``, keyed by cell)."""

    cell: str
    ts: int
    speed_ratio: float
    incidents: int
    closures: int


DispatchKind = Literal[
    "request", "offer", "accept", "decline", "arrive", "complete", "cancel", "satisfaction"
]


class DispatchEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step in the life of a request for help (``dispatch-events``, keyed by event_id).

    Every kind carries event_id, ts and the request's cell. ``request`` carries lat, lon, service,
    vehicle_class and promised_minutes; every kind from ``offer`` on carries provider_id (except a
    ``cancel`` before any offer); ``satisfaction`` carries score, 1 to 5.
    """

    event_id: str
    ts: int
    kind: DispatchKind
    cell: str
    provider_id: str | None = None
    lat: float | None = None
    lon: float | None = None
    service: str | None = None
    vehicle_class: int | None = None
    promised_minutes: float | None = None
    score: int | None = None


class ArchivedRecord(msgspec.Struct, frozen=True):
    """A record of any stream in the archive: one JSON line.

    The time of arrival is kept, because a backfill must judge an event's age as it was judged
    when the event came.
    """

    received_ts: int
    record_text: str
