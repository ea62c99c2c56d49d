"""``provider_motion`` as the jobs would have it: the reported fixes of the last two minutes."""

import h3
import numpy as np

from simulator import observed_windows as windows
from simulator.geography import H3_RESOLUTION
from simulator.luck import Floats, Ints
from simulator.observed_windows import Rows, float32, highest, mean
from simulator.providers import Bools
from simulator.reports import Columns
from simulator.ring import Ring

_WINDOW_MS = 120_000
_MOVING_KPH = 5.0
_EARTH_RADIUS_KM = 6371.0088
_FIELDS = ("lat", "lon", "speed_kph", "heading_deg")


class ObservedMotion:
    """The newest fixes of each provider."""

    def __init__(self, providers: int, interval_s: float, slide_s: float, tick_s: float) -> None:
        self._slide_ms = round(1000 * slide_s)
        depth = windows.reports_kept(_WINDOW_MS, self._slide_ms, interval_s, tick_s)
        self._fixes = Ring(providers, _FIELDS, depth)

    def take(self, fixes: Columns) -> None:
        """Take fixes of one time."""
        self._fixes.add(fixes.who, fixes.ts_ms, [fixes.values[name] for name in _FIELDS])

    def as_of(self, who: Ints, as_of_ms: Ints) -> Rows:
        """Return each provider's newest row at a time, int64 [n] epoch milliseconds."""
        ts_ms, fix = self._fixes.of(who)
        newest_ms = windows.newest_before(ts_ms, windows.last_end(as_of_ms, self._slide_ms))
        end_ms, there = windows.last_windows(newest_ms, as_of_ms, _WINDOW_MS, self._slide_ms)
        inside = windows.within(ts_ms, end_ms, _WINDOW_MS)
        at = (np.arange(len(who)), np.argmax(np.where(inside, ts_ms, -1), axis=1))
        lat, lon = fix["lat"][at], fix["lon"][at]
        columns = {
            "motion_observed_at": newest_ms * 1000.0,
            "lat": lat,
            "lon": lon,
            "heading_deg": float32(fix["heading_deg"][at]),
            "speed_mean_kph": float32(mean(fix["speed_kph"], inside)),
            "speed_max_kph": float32(highest(fix["speed_kph"], inside)),
            "distance_km": float32(_distance_km(fix["lat"], fix["lon"], inside)),
            "ping_count": inside.sum(axis=1).astype(np.float64),
            "moving_share": float32(
                mean((fix["speed_kph"] > _MOVING_KPH).astype(np.float64), inside)
            ),
            "h3_cell": np.array(
                [
                    h3.latlng_to_cell(a, b, H3_RESOLUTION) if known else ""
                    for a, b, known in zip(lat.tolist(), lon.tolist(), there.tolist(), strict=True)
                ],
                dtype="S16",
            ),
        }
        return windows.rows_of(columns, newest_ms, end_ms + windows.LATE_MS, there)


def _distance_km(lat: Floats, lon: Floats, inside: Bools) -> Floats:
    """Return the length of the way along the fixes inside, float64 [n] (haversine)."""
    both = inside[:, 1:] & inside[:, :-1]
    a, b = np.radians(lat), np.radians(lon)
    half_lat, half_lon = (a[:, 1:] - a[:, :-1]) / 2, (b[:, 1:] - b[:, :-1]) / 2
    h = np.sin(half_lat) ** 2 + np.cos(a[:, :-1]) * np.cos(a[:, 1:]) * np.sin(half_lon) ** 2
    leg_km = 2 * _EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.where(both, h, 0.0)))
    total: Floats = leg_km.sum(axis=1)
    return total
