"""Small makers of events."""

import json
from collections.abc import Sequence
from typing import Any

CELL = "872a1008bffffff"
NOW_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z: on the boundary of every window."""

Event = dict[str, Any]


def gps(provider: str, ts: int, lat: float = 40.0, lon: float = -75.0, **more: Any) -> Event:
    """Return a fix."""
    fix = {"speed_kph": 30.0, "heading_deg": 90.0, "accuracy_m": 5.0}
    return {"provider_id": provider, "ts": ts, "lat": lat, "lon": lon, **fix, **more}


def state(provider: str, ts: int, status: str = "available", **more: Any) -> Event:
    """Return a provider's word on its state."""
    default = {"active_jobs": 0, "capacity": 2, "shift_end_ts": NOW_MS + 8 * 3_600_000}
    return {"provider_id": provider, "ts": ts, "status": status, **default, **more}


def weather(ts: int, cell: str = CELL, **more: Any) -> Event:
    """Return an observation of the weather."""
    default = {
        "precip_mm_h": 1.0,
        "snow_cm": 0.0,
        "temp_c": 3.0,
        "wind_kph": 10.0,
        "visibility_km": 9.0,
        "alert_level": 0,
    }
    return {"cell": cell, "ts": ts, **default, **more}


def traffic(ts: int, cell: str = CELL, **more: Any) -> Event:
    """Return an observation of the roads."""
    default = {"speed_ratio": 1.0, "incidents": 0, "closures": 0}
    return {"cell": cell, "ts": ts, **default, **more}


def step(event_id: str, ts: int, kind: str, cell: str = CELL, **more: Any) -> Event:
    """Return a step of a request, with what its kind needs."""
    needed: Event = {}
    if kind == "request":
        needed = {"lat": 40.0, "lon": -75.0, "service": "tow", "vehicle_class": 1}
    elif kind != "cancel":
        needed = {"provider_id": "p1"}
    return {"event_id": event_id, "ts": ts, "kind": kind, "cell": cell, **needed, **more}


def encode(event: Event | str) -> str:
    """Return a record's text."""
    return event if isinstance(event, str) else json.dumps(event)


def arrived(events: Sequence[Event]) -> list[tuple[Event | str, int]]:
    """Return events that arrived the moment they happened."""
    return [(event, event["ts"]) for event in events]
