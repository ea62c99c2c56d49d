"""Each view's windows in plain Python: slow, obvious, and written from the definitions."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt
from typing import Any

import h3

from tests.flink_jobs.events import Event, encode

Row = dict[str, Any]


def windows(ts: int, size_s: int, slide_s: int) -> Iterable[int]:
    """Return the ends of the sliding windows that hold ``ts``, epoch ms."""
    first = (ts // (slide_s * 1000) + 1) * slide_s * 1000
    return range(first, ts + size_s * 1000 + 1, slide_s * 1000)


def judged(events: Iterable[Event], key: str) -> tuple[list[Event], list[tuple[str, Event]]]:
    """Return what counts of a stream's events, in order of time, and what is refused, with codes.

    Dispatch events (keyed by ``event_id``) may have one time; of all others a key has one event a
    time, the first by its text.
    """
    counted: list[Event] = []
    refused: list[tuple[str, Event]] = []
    trucks: dict[str, _Truck] = defaultdict(_Truck)
    seen = set()
    for event in sorted(events, key=lambda event: (event["ts"], encode(event))):
        same = encode(event) if key == "event_id" else (event[key], event["ts"])
        if same in seen:
            refused.append(("duplicate", event))
        elif "accuracy_m" in event and not trucks[event[key]].could_be_at(event):
            refused.append(("impossible_speed", event))
        else:
            counted.append(event)
        seen.add(same)
    return counted, refused


class _Truck:
    """Where a truck was seen last, and where it was seen but not believed."""

    def __init__(self) -> None:
        self.at: Event | None = None
        self.doubted: Event | None = None

    def could_be_at(self, fix: Event) -> bool:
        believed = self.at is None or _possible(self.at, fix)
        if not believed and (self.doubted is None or not _possible(self.doubted, fix)):
            self.doubted = fix
            return False
        self.at, self.doubted = fix, None
        return True


def _possible(a: Event, b: Event) -> bool:
    """Return whether 250 km/h are enough, given how inexact both positions are."""
    km = _km(a, b) - (a["accuracy_m"] + b["accuracy_m"]) / 1000
    return km <= 250 * abs(b["ts"] - a["ts"]) / 3_600_000


def by_window(events: Iterable[Event], key: str, size_s: int, slide_s: int) -> list[list[Event]]:
    """Return, for each key and window, its events in order of time."""
    groups: dict[tuple[str, int], list[Event]] = defaultdict(list)
    for event in sorted(events, key=lambda event: event["ts"]):
        for end in windows(event["ts"], size_s, slide_s):
            groups[event[key], end].append({**event, "window_end": end})
    return list(groups.values())


LATE_MS, CHANGE_LATE_MS = 2000, 2000
"""How long the live job waits for late events, by default."""


def motion(events: Iterable[Event], slide_s: int = 15) -> list[Row]:
    """Return the rows of ``provider_motion``."""
    fixes, _ = judged(events, "provider_id")
    return [_motion(seen) for seen in by_window(fixes, "provider_id", 120, slide_s)]


def _motion(fixes: list[Event]) -> Row:
    newest, speeds = fixes[-1], [fix["speed_kph"] for fix in fixes]
    return {
        "provider_id": newest["provider_id"],
        "observed_ts": newest["ts"],
        "made_ts": newest["window_end"] + LATE_MS,
        "lat": newest["lat"],
        "lon": newest["lon"],
        "heading_deg": newest["heading_deg"],
        "speed_mean_kph": sum(speeds) / len(speeds),
        "speed_max_kph": max(speeds),
        "distance_km": sum(_km(a, b) for a, b in pairwise(fixes)),
        "ping_count": len(fixes),
        "moving_share": sum(speed > 5 for speed in speeds) / len(speeds),
        "h3_cell": h3.latlng_to_cell(newest["lat"], newest["lon"], 7),
    }


def _km(a: Event, b: Event) -> float:
    lat_a, lon_a, lat_b, lon_b = map(radians, (a["lat"], a["lon"], b["lat"], b["lon"]))
    h = sin((lat_b - lat_a) / 2) ** 2 + cos(lat_a) * cos(lat_b) * sin((lon_b - lon_a) / 2) ** 2
    return 2 * 6371.0088 * asin(sqrt(h))


def conditions(weather: Iterable[Event], traffic: Iterable[Event], slide_s: int = 60) -> list[Row]:
    """Return the rows of ``cell_conditions``."""
    both = [*judged(weather, "cell")[0], *judged(traffic, "cell")[0]]
    return [_conditions(seen) for seen in by_window(both, "cell", 300, slide_s)]


def _conditions(seen: list[Event]) -> Row:
    middle = seen[0]["window_end"] - 150_000
    ratios = [(e["ts"], e["speed_ratio"]) for e in seen if "speed_ratio" in e]
    newer = _mean([ratio for ts, ratio in ratios if ts >= middle])
    older = _mean([ratio for ts, ratio in ratios if ts < middle])

    def of(name: str, how: Any) -> Any:
        values = [event[name] for event in seen if name in event]
        return how(values) if values else None

    return {
        "cell": seen[0]["cell"],
        "observed_ts": seen[-1]["ts"],
        "made_ts": seen[-1]["window_end"] + LATE_MS,
        "precip_mm_h": of("precip_mm_h", _mean),
        "snow_cm": of("snow_cm", max),
        "temp_c": of("temp_c", _mean),
        "visibility_km": of("visibility_km", min),
        "wind_kph": of("wind_kph", max),
        "alert_level": of("alert_level", max),
        "speed_ratio_mean": of("speed_ratio", _mean),
        "speed_ratio_trend": None if newer is None or older is None else newer - older,
        "incidents": of("incidents", max),
        "closures": of("closures", max),
    }


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def demand(events: Iterable[Event], slide_s: int = 60) -> list[Row]:
    """Return the rows of ``cell_demand``."""
    counted, _ = judged(events, "event_id")
    steps = [e for e in counted if e["kind"] in {"request", "complete", "cancel"}]
    return [_demand(seen) for seen in by_window(steps, "cell", 3600, slide_s)]


def _demand(seen: list[Event]) -> Row:
    recent = seen[0]["window_end"] - 900_000
    requested = {e["event_id"]: e["ts"] for e in seen if e["kind"] == "request"}
    ended = {e["event_id"] for e in seen if e["kind"] != "request"}
    return {
        "cell": seen[0]["cell"],
        "observed_ts": seen[-1]["ts"],
        "made_ts": seen[-1]["window_end"] + CHANGE_LATE_MS,
        "requests_15m": sum(ts >= recent for ts in requested.values()),
        "requests_60m": len(requested),
        "open_requests": len(requested.keys() - ended),
    }


def availability(states: Iterable[Event], steps: Iterable[Event]) -> list[Row]:
    """Return the rows of ``provider_availability``: of each event, with all up to its time."""
    kinds = {"offer", "accept", "decline"}
    answers = [e for e in judged(steps, "event_id")[0] if e["kind"] in kinds]
    history: dict[str, list[Event]] = defaultdict(list)
    for event in [*judged(states, "provider_id")[0], *answers]:
        history[event["provider_id"]].append(event)
    return [
        _availability(sorted((e for e in past if e["ts"] <= event["ts"]), key=lambda e: e["ts"]))
        for past in history.values()
        for event in past
    ]


def _availability(past: list[Event]) -> Row:
    now = past[-1]["ts"]
    said = [e for e in past if "status" in e]
    since = None
    status = None
    for event in said:
        if event["status"] != status:
            since, status = event["ts"] * 1000, event["status"]
    last = said[-1] if said else None
    row = {
        "provider_id": past[-1]["provider_id"],
        "observed_ts": now,
        "made_ts": now + CHANGE_LATE_MS,
        "status": last and last["status"],
        "active_jobs": last and last["active_jobs"],
        "free_capacity": last and max(0, last["capacity"] - last["active_jobs"]),
        "status_reported_at": last and last["ts"] * 1000,
        "status_since": since,
        "shift_end": last and last["shift_end_ts"] * 1000,
    }
    for name, minutes in (("30m", 30), ("1h", 60)):
        for kind in ("offer", "accept", "decline"):
            row[f"{kind}s_{name}"] = sum(
                e.get("kind") == kind and e["ts"] > now - minutes * 60_000 for e in past
            )
    return row


def assert_same_rows(found: list[Row], expected: list[Row]) -> None:
    """Hold two sets of rows equal, in any order, numbers to 9 decimals."""
    assert sorted(map(_canonical, found)) == sorted(map(_canonical, expected))


def _canonical(row: Row) -> str:
    return repr({key: _number(value) for key, value in sorted(row.items())})


def _number(value: Any) -> Any:
    return round(float(value), 9) + 0.0 if isinstance(value, int | float) else value
