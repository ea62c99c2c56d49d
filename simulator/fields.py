"""Roads, weather and demand over the cells: the truth, from which the streams are noisy reports."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.geography import KM_PER_DEGREE, Cells, Floats, Ints, solar_hour

_CELL_TRAITS_SEED = 2
_FRONT_SEED = 3
_INCIDENT_SEED = 4
_SURGE_SEED = 5

FRONT_EVERY_H = 5.0
"""A weather front crosses each metro this often."""
_FRONT_REACH_KM = 60.0
"""A front begins and ends this far from the centre."""
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
        rng = np.random.default_rng([seed, _CELL_TRAITS_SEED])
        count = len(cells.names)
        self.free_flow_kph: Floats = rng.normal(46, 6, count) - 8 * cells.centrality
        self._congestion: Floats = rng.uniform(0.6, 1.3, count) * cells.centrality
        self._phase: Floats = rng.uniform(0, 2 * np.pi, (2, count))
        population: Floats = cells.centrality * rng.gamma(4, 0.25, count)
        self._population: Floats = population / population.mean()
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
        precip, snow, temp = self._front(time_s, hour)
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
            temp_c=temp,
            wind_kph=8 + 2.2 * precip + 3 * np.sin(time_s / 2900 + self._phase[0]),
            visibility_km=np.clip(16 / (1 + 0.25 * intensity), 0.3, 16),
            alert_level=np.digitize(intensity, [2.0, 6.0, 11.0, 18.0]).astype(np.int64),
            demand=self._demand(time_s, hour, precip + 3 * snow),
        )

    def _front(self, time_s: float, hour: Floats) -> tuple[Floats, Floats, Floats]:
        """Return precipitation (mm/h), snow (cm) and temperature (C): a band of rain moves over."""
        number, phase = divmod(time_s / 3600, FRONT_EVERY_H)
        rng = np.random.default_rng([self._seed, _FRONT_SEED, int(number)])
        direction, width = rng.uniform(0, 2 * np.pi), rng.uniform(7, 16)
        peak, cold = rng.gamma(3, 3.5), rng.random() < 0.3
        along = (2 * phase / FRONT_EVERY_H - 1) * _FRONT_REACH_KM * 0.6
        centre_lat = np.bincount(self.cells.metro, self.cells.lat) / np.bincount(self.cells.metro)
        centre_lon = np.bincount(self.cells.metro, self.cells.lon) / np.bincount(self.cells.metro)
        lat0, lon0 = centre_lat[self.cells.metro], centre_lon[self.cells.metro]
        north = (self.cells.lat - lat0) * KM_PER_DEGREE
        east = (self.cells.lon - lon0) * KM_PER_DEGREE * np.cos(np.radians(lat0))
        across = north * np.cos(direction) + east * np.sin(direction) - along
        band = np.exp(-((across / width) ** 2))
        precip = np.where(peak * band < 0.1, 0.0, peak * band)
        temp = 9 + 6 * np.sin((hour - 9) * np.pi / 12) - 5 * band - (14 if cold else 0)
        snow = np.where(temp < 0, 0.5 * precip, 0.0)
        return precip, snow, temp

    def _incidents(self, time_s: float, rush: Floats) -> tuple[Ints, Ints]:
        rng = np.random.default_rng(
            [self._seed, _INCIDENT_SEED, int(time_s // (60 * _INCIDENT_MINUTES))]
        )
        draws = rng.random((2, len(self.cells.names)))
        # one uniform a cell against a rate that varies inside the bucket: no jump at its edges
        likely = 0.03 + 0.10 * rush * self.cells.centrality
        incidents = (draws[0] < likely).astype(np.int64) + (draws[0] < likely / 5)
        return incidents, (draws[1] < 0.01).astype(np.int64)

    def _demand(self, time_s: float, hour: Floats, foul: Floats) -> Floats:
        rng = np.random.default_rng([self._seed, _SURGE_SEED, int(time_s // (60 * _SURGE_MINUTES))])
        surge = np.where(rng.random(len(self.cells.names)) < 0.04, rng.uniform(3, 8), 1.0)
        daily = 0.6 + 0.4 * np.sin((hour - 8) * np.pi / 12)
        return np.asarray(self._population * daily * surge * (1 + 0.06 * foul))


def route_cells(
    cells: Cells, lat: Floats, lon: Floats, to: tuple[float, float], points: int = 3
) -> npt.NDArray[np.int64]:
    """Return the cells under evenly spaced points of n straight routes, int64 [n, points]."""
    share = np.linspace(0, 1, points)
    lats = lat[:, None] + (to[0] - lat)[:, None] * share
    lons = lon[:, None] + (to[1] - lon)[:, None] * share
    return cells.nearest(lats.ravel(), lons.ravel()).reshape(lats.shape)
