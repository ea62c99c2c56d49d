"""Roads, weather and demand over the cells: the truth, from which the streams are noisy reports."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.geography import Cells, solar_hour
from simulator.luck import Floats, Ints, key_of
from simulator.weather import weather_at

_CELL_TRAITS_SEED = 2
_INCIDENT_SEED = 4
_SURGE_SEED = 5

_INCIDENT_MINUTES = 20
_SURGE_MINUTES = 45


@dataclass(frozen=True)
class Conditions:
    """The true state of every cell at one time; arrays [c], units as on the streams."""

    speed_ratio: Floats
    incidents: Ints
    closures: Ints
    precip_mm_h: Floats
    snow_cm: Floats
    temp_c: Floats
    wind_kph: Floats
    visibility_km: Floats
    alert_level: Ints
    demand: Floats
    """Relative rate of requests."""


class Fields:
    """The state of all cells as a pure function of seed and time; kept for one minute."""

    def __init__(self, cells: Cells, seed: int) -> None:
        self.cells = cells
        self._seed = seed
        rng = np.random.default_rng(key_of(seed, _CELL_TRAITS_SEED, cells.metro.name))
        count = len(cells.names)
        self.free_flow_kph: Floats = (
            rng.normal(44, 6, count) - 8 * cells.centrality + 14 * cells.highway
        )
        self._congestion: Floats = rng.uniform(0.6, 1.3, count) * cells.centrality
        self._phase: Floats = rng.uniform(0, 2 * np.pi, (2, count))
        breakdowns: Floats = cells.density * (1 + 0.6 * cells.highway)
        self._breakdowns: Floats = breakdowns / breakdowns.mean()
        self._minute = -1
        self._conditions: Conditions | None = None

    def at(self, time_s: float) -> Conditions:
        """Return the conditions in the minute of an epoch time in seconds."""
        minute = int(time_s // 60)
        if self._conditions is None or minute != self._minute:
            self._minute, self._conditions = minute, self._compute(minute * 60.0)
        return self._conditions

    def _compute(self, time_s: float) -> Conditions:
        hour = solar_hour(time_s, self.cells.lon)
        rush = np.exp(-(((hour - 8.0) / 1.4) ** 2)) + np.exp(-(((hour - 17.3) / 1.7) ** 2))
        incidents, closures = self._incidents(time_s, rush)
        weather = weather_at(self.cells, self._seed, time_s, hour)
        precip, snow = weather.precip_mm_h, weather.snow_cm
        wobble = 0.05 * np.sin(time_s / 1700 + self._phase[0])
        wobble += 0.04 * np.sin(time_s / 610 + self._phase[1])
        ratio = 1.0 - 0.12 * self._congestion - 0.45 * rush * self._congestion + wobble
        ratio = ratio * (1 - 0.012 * precip) - 0.10 * incidents - 0.08 * closures
        intensity = precip + 2 * snow
        return Conditions(
            speed_ratio=np.clip(ratio, 0.2, 1.1),
            incidents=incidents,
            closures=closures,
            precip_mm_h=precip,
            snow_cm=snow,
            temp_c=weather.temp_c,
            wind_kph=8 + 2.2 * precip + 3 * np.sin(time_s / 2900 + self._phase[0]),
            visibility_km=np.clip(16 / (1 + 0.25 * intensity), 0.3, 16),
            alert_level=np.digitize(intensity, [2.0, 6.0, 11.0, 18.0]).astype(np.int64),
            demand=self._demand(time_s, hour, precip + 3 * snow) * (1 + 1.2 * weather.storm),
        )

    def _incidents(self, time_s: float, rush: Floats) -> tuple[Ints, Ints]:
        rng = self._generator(_INCIDENT_SEED, time_s, 60 * _INCIDENT_MINUTES)
        draws = rng.random((2, len(self.cells.names)))
        # one uniform a cell against a rate that varies inside the bucket: no jump at its edges
        likely = 0.03 + 0.10 * rush * self.cells.centrality
        incidents = (draws[0] < likely).astype(np.int64) + (draws[0] < likely / 5)
        return incidents, (draws[1] < 0.01).astype(np.int64)

    def _demand(self, time_s: float, hour: Floats, foul: Floats) -> Floats:
        rng = self._generator(_SURGE_SEED, time_s, 60 * _SURGE_MINUTES)
        surge = np.where(rng.random(len(self.cells.names)) < 0.04, rng.uniform(3, 8), 1.0)
        daily = 0.6 + 0.4 * np.sin((hour - 8) * np.pi / 12)
        return np.asarray(self._breakdowns * daily * surge * (1 + 0.06 * np.minimum(foul, 30)))

    def _generator(self, purpose: int, time_s: float, bucket_s: float) -> np.random.Generator:
        return np.random.default_rng(
            key_of(self._seed, purpose, self.cells.metro.name, int(time_s // bucket_s))
        )


def route_cells(
    cells: Cells, lat: Floats, lon: Floats, to: tuple[float, float], points: int = 3
) -> npt.NDArray[np.int64]:
    """Return the cells under evenly spaced points of n straight routes, int64 [n, points]."""
    share = np.arange(points) / (points - 1)
    lats = lat[:, None] + (to[0] - lat)[:, None] * share
    lons = lon[:, None] + (to[1] - lon)[:, None] * share
    return cells.nearest(lats, lons)
