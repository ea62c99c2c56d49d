"""Weather over a metro: showers of its own, and storms that cross the country."""

from dataclasses import dataclass

import numpy as np

from simulator.geography import KM_PER_DEGREE, Cells, plane_xy_km
from simulator.luck import Floats, key_of

_FRONT_SEED = 3
_STORM_SEED = 9
_FRONT_EVERY_H = 5.0
"""A band of showers crosses each metro this often; half of them bring next to nothing."""
_FRONT_REACH_KM = 36.0
"""A front begins and ends this far from the centre."""
_STORMS_A_DAY = 7.0
_STORM_HOURS = 36.0
_DAY_S = 86_400.0


@dataclass(frozen=True)
class Weather:
    """The weather of every cell; arrays [c].

    Attributes:
        precip_mm_h: Rain, or snow as water.
        snow_cm: On the ground.
        temp_c: Of the air.
        storm: How far a cell is inside a storm, 0 to 1.
    """

    precip_mm_h: Floats
    snow_cm: Floats
    temp_c: Floats
    storm: Floats


def weather_at(cells: Cells, seed: int, time_s: float, hour: Floats) -> Weather:
    """Return the weather at an epoch time in seconds.

    Args:
        cells: Where.
        seed: The world's.
        time_s: When.
        hour: The cells' solar hours, float64 [c].
    """
    shower, cold = _shower(cells, seed, time_s)
    storm, peak = _storms(cells, seed, time_s)
    wet = shower + peak * storm
    precip = np.where(wet < 0.1, 0.0, wet)
    temp = 9 + 6 * np.sin((hour - 9) * np.pi / 12) - 5 * np.minimum(wet / 8, 1) - 14 * cold
    return Weather(precip, np.where(temp < 0, 0.5 * precip, 0.0), temp, storm)


def _shower(cells: Cells, seed: int, time_s: float) -> tuple[Floats, bool]:
    """Return the rain (mm/h) of the metro's own front, and whether it is a cold one."""
    number, phase = divmod(time_s / 3600, _FRONT_EVERY_H)
    rng = np.random.default_rng(key_of(seed, _FRONT_SEED, cells.metro.name, int(number)))
    direction, width = rng.uniform(0, 2 * np.pi), rng.uniform(7, 16)
    peak, cold = rng.gamma(3, 3.5) * (rng.random() < 0.5), rng.random() < 0.3
    along = (2 * phase / _FRONT_EVERY_H - 1) * _FRONT_REACH_KM
    east, north = plane_xy_km(cells.metro, cells.lat, cells.lon)
    across = north * np.cos(direction) + east * np.sin(direction) - along
    return np.asarray(peak * np.exp(-((across / width) ** 2))), bool(cold)


def _storms(cells: Cells, seed: int, time_s: float) -> tuple[Floats, float]:
    """Return how far the cells are inside the worst storm, 0 to 1, and its peak (mm/h).

    Storms begin anywhere over the country and move east; every metro on their way sees the same
    one. A metro is under one about once in two or three days, for some hours.
    """
    here = cells.metro
    worst, worst_peak = np.zeros(len(cells.names)), 0.0
    today = int(time_s // _DAY_S)
    for day in (today - 2, today - 1, today):
        rng = np.random.default_rng(key_of(seed, _STORM_SEED, day))
        for row in rng.random((int(rng.poisson(_STORMS_A_DAY)), 7)):
            hours = (time_s - _DAY_S * (day + row[0])) / 3600
            if not 0 <= hours < _STORM_HOURS:
                continue
            east_km, north_km = (45 + 25 * row[1]) * hours, (30 * row[2] - 15) * hours
            lat = 27 + 21 * row[3] + north_km / KM_PER_DEGREE
            lon = -126 + 46 * row[4] + east_km / (KM_PER_DEGREE * np.cos(np.radians(here.lat)))
            radius, peak = 90 + 110 * row[5], 12 + 14 * row[6]
            east, north = plane_xy_km(here, cells.lat, cells.lon)
            to_east, to_north = plane_xy_km(here, lat, lon)
            life = np.sin(np.pi * hours / _STORM_HOURS) ** 0.5
            inside = life * np.exp(-(((east - to_east) ** 2 + (north - to_north) ** 2) / radius**2))
            if inside.max() * peak > worst.max() * worst_peak:
                worst, worst_peak = inside, peak
    return worst, worst_peak
