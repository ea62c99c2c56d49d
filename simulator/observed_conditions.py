"""``cell_conditions`` as the jobs would have it: weather and traffic of the last five minutes."""

import numpy as np

from simulator.luck import Floats, Ints
from simulator.observed_windows import (
    LATE_MS,
    Rows,
    float32,
    highest,
    last_end,
    last_windows,
    mean,
    newest_before,
    rows_of,
    within,
)
from simulator.providers import Bools
from simulator.reports import Columns
from simulator.ring import Ring

_WINDOW_MS = 300_000
_WEATHER = ("precip_mm_h", "snow_cm", "temp_c", "wind_kph", "visibility_km", "alert_level")
_TRAFFIC = ("speed_ratio", "incidents", "closures")


class ObservedConditions:
    """The newest weather and traffic of each cell."""

    def __init__(self, cells: int, interval_s: float, slide_s: float, tick_s: float) -> None:
        self._slide_ms = round(1000 * slide_s)
        kept_ms = _WINDOW_MS + LATE_MS + self._slide_ms + 1000 * tick_s
        depth = int(kept_ms / 1000 // max(interval_s, tick_s)) + 3
        self._weather = Ring(cells, _WEATHER, depth)
        self._traffic = Ring(cells, _TRAFFIC, depth)

    def take(self, weather: Columns, traffic: Columns) -> None:
        """Take observations of one time."""
        self._weather.add(weather.who, weather.ts_ms, [weather.values[n] for n in _WEATHER])
        self._traffic.add(traffic.who, traffic.ts_ms, [traffic.values[n] for n in _TRAFFIC])

    def as_of(self, cells: Ints, as_of_ms: Ints) -> Rows:
        """Return each cell's newest row at a time, int64 [n] epoch milliseconds."""
        sky_ms, sky = self._weather.of(cells)
        road_ms, road = self._traffic.of(cells)
        before = last_end(as_of_ms, self._slide_ms)
        newest_ms = np.maximum(newest_before(sky_ms, before), newest_before(road_ms, before))
        end_ms, there = last_windows(newest_ms, as_of_ms, _WINDOW_MS, self._slide_ms)
        above, below = within(sky_ms, end_ms, _WINDOW_MS), within(road_ms, end_ms, _WINDOW_MS)
        columns = {
            "conditions_observed_at": newest_ms * 1000.0,
            "precip_mm_h": float32(mean(sky["precip_mm_h"], above)),
            "snow_cm": float32(highest(sky["snow_cm"], above)),
            "temp_c": float32(mean(sky["temp_c"], above)),
            "visibility_km": float32(-highest(-sky["visibility_km"], above)),
            "wind_kph": float32(highest(sky["wind_kph"], above)),
            "alert_level": highest(sky["alert_level"], above),
            "speed_ratio_mean": float32(mean(road["speed_ratio"], below)),
            "speed_ratio_trend": float32(_trend(road["speed_ratio"], road_ms, end_ms, below)),
            "incidents": highest(road["incidents"], below),
            "closures": highest(road["closures"], below),
        }
        return rows_of(columns, newest_ms, end_ms + LATE_MS, there)


def _trend(ratio: Floats, ts_ms: Ints, end_ms: Ints, inside: Bools) -> Floats:
    """Return the newer half's mean less the older half's, float64 [n]."""
    newer = ts_ms >= end_ms[:, None] - _WINDOW_MS // 2
    return mean(ratio, inside & newer) - mean(ratio, inside & ~newer)
