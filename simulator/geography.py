"""A metro's H3 cells and how its people are spread, and plane geometry good enough inside it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import h3
import numpy as np
import numpy.typing as npt

from simulator.luck import Floats, Ints, key_of
from simulator.metros import Metro

H3_RESOLUTION = 7
"""Cells of about 5 km2. The streams' unit of weather and traffic."""
CELL_SPACING_KM = 2.43
KM_PER_DEGREE = 111.195
_LANDSCAPE_SEED = 8
_ROADS = 2
_ROAD_WIDTH_KM = 1.6
_RASTER_KM = 0.25


@dataclass(frozen=True)
class Cells:
    """The H3 cells of a metro; arrays [c] share their order.

    Attributes:
        metro: The metro.
        names: H3 indices, in a fixed order.
        lat: Centres, float64 [c], degrees.
        lon: Centres, float64 [c], degrees.
        centrality: 1 in the metro's centre, falling to about 0.1 at its edge, float64 [c].
        density: People against the metro's mean: centre, suburbs and along the roads, float64 [c].
        highway: 1 on a highway, falling to 0 some km beside it, float64 [c].
    """

    metro: Metro
    names: tuple[str, ...]
    lat: Floats
    lon: Floats
    centrality: Floats
    density: Floats
    highway: Floats

    def nearest(self, lat: npt.NDArray[Any], lon: npt.NDArray[Any]) -> Ints:
        """Return the index of the cell with the nearest centre, int64, shaped as the points.

        Right to a raster of 250 m; a point outside the metro has a cell of its edge.
        """
        origin, raster = self._raster
        east, north = plane_xy_km(self.metro, lat, lon)
        rows = _raster_index(north + origin, len(raster))
        columns = _raster_index(east + origin, len(raster))
        cells: Ints = raster[rows, columns]
        return cells

    @cached_property
    def _raster(self) -> tuple[float, Ints]:
        """How far the raster reaches from the centre, km, and the nearest cell of each square."""
        reach = (self.metro.rings + 1) * CELL_SPACING_KM
        axis = np.arange(-reach, reach, _RASTER_KM) + _RASTER_KM / 2
        east, north = plane_xy_km(self.metro, self.lat, self.lon)
        rows = [
            np.argmin((north - y) ** 2 + (axis[:, None] - east) ** 2, axis=1).astype(np.int64)
            for y in axis
        ]
        return reach, np.stack(rows)


def _raster_index(from_edge_km: Floats, size: int) -> Ints:
    index: Ints = (from_edge_km / _RASTER_KM).astype(np.int64)
    return np.minimum(np.maximum(index, 0), size - 1)


def cells_of(metro: Metro) -> Cells:
    """Return the cells of a metro; its landscape is its own, whatever the world's seed."""
    centre = h3.latlng_to_cell(metro.lat, metro.lon, H3_RESOLUTION)
    names = sorted(h3.grid_disk(centre, metro.rings))
    points = np.array([h3.cell_to_latlng(name) for name in names], dtype=np.float64)
    east, north = plane_xy_km(metro, points[:, 0], points[:, 1])
    reach = metro.rings * CELL_SPACING_KM
    density, highway = _landscape(metro, east, north, reach)
    return Cells(
        metro=metro,
        names=tuple(names),
        lat=points[:, 0],
        lon=points[:, 1],
        centrality=np.exp(-((np.hypot(east, north) / (0.58 * reach)) ** 2)) * 0.9 + 0.1,
        density=density,
        highway=highway,
    )


def _landscape(metro: Metro, east: Floats, north: Floats, reach: float) -> tuple[Floats, Floats]:
    """Return density and highway: a centre, some suburbs, highways through the centre."""
    rng = np.random.default_rng(key_of(_LANDSCAPE_SEED, metro.name))
    density = np.exp(-((np.hypot(east, north) / (0.45 * reach)) ** 2)) + 0.06
    for _ in range(int(rng.integers(3, 7))):
        away, angle = reach * rng.uniform(0.4, 0.85), rng.uniform(0, 2 * np.pi)
        width, people = reach * rng.uniform(0.12, 0.22), rng.uniform(0.25, 0.7)
        distance = np.hypot(east - away * np.cos(angle), north - away * np.sin(angle))
        density += people * np.exp(-((distance / width) ** 2))
    first = rng.uniform(0, np.pi)
    angles = first + np.pi / _ROADS * (np.arange(_ROADS) + rng.uniform(-0.25, 0.25, _ROADS))
    offsets = rng.uniform(-0.15, 0.15, _ROADS) * reach
    beside = [
        np.abs(east * np.sin(angle) - north * np.cos(angle) - offset)
        for angle, offset in zip(angles, offsets, strict=True)
    ]
    highway = np.exp(-((np.min(beside, axis=0) / _ROAD_WIDTH_KM) ** 2))
    density = (density + 0.15 * highway) * rng.gamma(8, 1 / 8, len(east))
    return density / density.mean(), highway


def plane_xy_km(
    metro: Metro, lat: npt.NDArray[Any] | float, lon: npt.NDArray[Any] | float
) -> tuple[Floats, Floats]:
    """Return km east and north of a metro's centre."""
    east_km_per_degree = KM_PER_DEGREE * np.cos(np.radians(metro.lat))
    east: Floats = (np.asarray(lon) - metro.lon) * east_km_per_degree
    north: Floats = (np.asarray(lat) - metro.lat) * KM_PER_DEGREE
    return east, north


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


def offset(lat: Floats, lon: Floats, away_km: Floats, angle: Floats) -> tuple[Floats, Floats]:
    """Return the points so far from others, at angles in radians from north."""
    to_lat = lat + away_km * np.cos(angle) / KM_PER_DEGREE
    to_lon = lon + away_km * np.sin(angle) / (KM_PER_DEGREE * np.cos(np.radians(lat)))
    return np.asarray(to_lat), np.asarray(to_lon)


def plane_heading_deg(lat: Floats, lon: Floats, to_lat: Floats, to_lon: Floats) -> Floats:
    """Return headings in degrees from north, 0 to 360, on a local plane."""
    east = (to_lon - lon) * np.cos(np.radians(lat))
    heading: Floats = np.degrees(np.arctan2(east, to_lat - lat)) % 360
    return heading


def solar_hour(time_s: float, lon: npt.NDArray[Any]) -> Floats:
    """Return the local solar hour, 0 to 24, at epoch seconds and longitudes."""
    hour: Floats = (time_s / 3600 + np.asarray(lon) / 15) % 24
    return hour
