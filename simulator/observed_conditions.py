"""``cell_conditions`` as the jobs would have it: weather and traffic of the last five minutes."""

import numpy as np

from simulator import observed_windows as windows
from simulator.luck import Floats, Ints
from simulator.observed_windows import Rows, float32, highest, mean
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
        depth = windows.reports_kept(_WINDOW_MS, self._slide_ms, interval_s, tick_s)
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
        before = windows.last_end(as_of_ms, self._slide_ms)
        newest_ms = np.maximum(*(windows.newest_before(ts, before) for ts in (sky_ms, road_ms)))
        end_ms, there = windows.last_windows(newest_ms, as_of_ms, _WINDOW_MS, self._slide_ms)
        above, below = (windows.within(ts, end_ms, _WINDOW_MS) for ts in (sky_ms, road_ms))
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
        return windows.rows_of(columns, newest_ms, end_ms + windows.LATE_MS, there)


def _trend(ratio: Floats, ts_ms: Ints, end_ms: Ints, inside: Bools) -> Floats:
    """Return the newer half's mean less the older half's, float64 [n]."""
    newer = ts_ms >= end_ms[:, None] - _WINDOW_MS // 2
    return mean(ratio, inside & newer) - mean(ratio, inside & ~newer)
