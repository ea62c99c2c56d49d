"""Who could come: eligible by contract, free, and among the nearest."""

import numpy as np

from simulator.fleet import Fleet
from simulator.geography import plane_km, plane_xy_km
from simulator.luck import Floats, Ints
from simulator.metros import Metro
from simulator.outcomes import Request
from simulator.providers import SERVICES, Bools

MOST_CANDIDATES = 40


class CandidateSearch:
    """Finds the candidates of requests in one metro."""

    def __init__(self, metro: Metro, fleet: Fleet, playable: Bools) -> None:
        self._metro = metro
        self._fleet = fleet
        p = fleet.providers
        self._able: dict[tuple[str, int], Ints] = {
            (service, vehicle_class): np.flatnonzero(
                playable & p.offers[:, at] & (p.max_vehicle_class >= vehicle_class)
            )
            for at, service in enumerate(SERVICES)
            for vehicle_class in (1, 2, 3)
        }
        self._base_xy_km = plane_xy_km(metro, p.base_lat, p.base_lon)
        self._radius_km2 = p.radius_km**2

    def nearest(self, request: Request, now_s: float) -> tuple[Ints, Floats]:
        """Return the nearest eligible providers and their distances, km, nearest first."""
        able = self._able[request.service, request.vehicle_class]
        free = able[self._fleet.is_free(able)]
        east, north = plane_xy_km(self._metro, request.lat, request.lon)
        base_east, base_north = self._base_xy_km
        to_base_km2 = (base_east[free] - east) ** 2 + (base_north[free] - north) ** 2
        index = free[to_base_km2 <= self._radius_km2[free]]
        lat, lon = self._fleet.whereabouts(index, now_s)
        distance_km = plane_km(request.lat, request.lon, lat, lon)
        if len(index) > MOST_CANDIDATES:
            some = np.argpartition(distance_km, MOST_CANDIDATES)[:MOST_CANDIDATES]
            index, distance_km = index[some], distance_km[some]
        nearest = np.argsort(distance_km, kind="stable")
        return index[nearest], distance_km[nearest]
