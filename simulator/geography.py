"""Metros and their H3 cells, and plane geometry good enough inside one metro."""

from dataclasses import dataclass
from typing import Any

import h3
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

H3_RESOLUTION = 7
"""Cells of about 5 km2. The streams' unit of weather and traffic."""

METRO_RINGS = 6
"""Rings of cells round the centre: 127 cells, about 14 km each way."""

KM_PER_DEGREE = 111.195


@dataclass(frozen=True)
class Metro:
    """A metropolitan area: its short name (part of provider ids) and its centre, degrees."""

    name: str
    lat: float
    lon: float


METROS: tuple[Metro, ...] = (
    Metro("den", 39.7392, -104.9903),
    Metro("chi", 41.8781, -87.6298),
    Metro("atl", 33.7490, -84.3880),
    Metro("dfw", 32.7767, -96.7970),
    Metro("pho", 33.4484, -112.0740),
    Metro("sea", 47.6062, -122.3321),
)


@dataclass(frozen=True)
class Cells:
    """All H3 cells of the world.

    Attributes:
        names: H3 indices, in a fixed order.
        lat: Centres, float64 [c], degrees.
        lon: Centres, float64 [c], degrees.
        metro: Index into the metros, int64 [c].
        centrality: 1 in a metro's centre, falling to about 0.1 at its edge, float64 [c].
    """

    names: tuple[str, ...]
    lat: Floats
    lon: Floats
    metro: Ints
    centrality: Floats

    def nearest(self, lat: npt.NDArray[Any], lon: npt.NDArray[Any]) -> Ints:
        """Return the index of the cell with the nearest centre for each point, int64 [n]."""
        distances = plane_km(np.asarray(lat)[:, None], np.asarray(lon)[:, None], self.lat, self.lon)
        nearest: Ints = np.argmin(distances, axis=1)
        return nearest


def cells_of(metros: tuple[Metro, ...]) -> Cells:
    """Return the cells of the metros."""
    names: list[str] = []
    metro_index: list[int] = []
    for index, metro in enumerate(metros):
        centre = h3.latlng_to_cell(metro.lat, metro.lon, H3_RESOLUTION)
        disk = sorted(h3.grid_disk(centre, METRO_RINGS))
        names += disk
        metro_index += [index] * len(disk)
    points = np.array([h3.cell_to_latlng(name) for name in names], dtype=np.float64)
    of_cell = np.array(metro_index, dtype=np.int64)
    centres = np.array([(m.lat, m.lon) for m in metros])[of_cell]
    from_centre = plane_km(points[:, 0], points[:, 1], centres[:, 0], centres[:, 1])
    return Cells(
        names=tuple(names),
        lat=points[:, 0],
        lon=points[:, 1],
        metro=of_cell,
        centrality=np.exp(-((from_centre / 8.5) ** 2)) * 0.9 + 0.1,
    )


def plane_km(
    lat: npt.NDArray[Any] | float,
    lon: npt.NDArray[Any] | float,
    to_lat: npt.NDArray[Any] | float,
    to_lon: npt.NDArray[Any] | float,
) -> Floats:
    """Return straight-line distances in km on a local plane; arrays broadcast."""
    north = (np.asarray(to_lat) - lat) * KM_PER_DEGREE
    east = (np.asarray(to_lon) - lon) * KM_PER_DEGREE * np.cos(np.radians(lat))
    distance: Floats = np.hypot(north, east)
    return distance


def plane_heading_deg(lat: Floats, lon: Floats, to_lat: Floats, to_lon: Floats) -> Floats:
    """Return headings in degrees from north, 0 to 360, on a local plane."""
    east = (to_lon - lon) * np.cos(np.radians(lat))
    heading: Floats = np.degrees(np.arctan2(east, to_lat - lat)) % 360
    return heading


def solar_hour(time_s: float, lon: npt.NDArray[Any]) -> Floats:
    """Return the local solar hour, 0 to 24, at epoch seconds and longitudes."""
    hour: Floats = (time_s / 3600 + np.asarray(lon) / 15) % 24
    return hour
