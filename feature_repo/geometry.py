"""Distances and bearings on the sphere, vectorised."""

from typing import Any

import numpy as np
import numpy.typing as npt

EARTH_RADIUS_KM = 6371.0088
"""Mean radius (IUGG)."""

Floats = npt.NDArray[np.float64]


def great_circle_km(
    lat: npt.NDArray[Any], lon: npt.NDArray[Any], to_lat: npt.NDArray[Any], to_lon: npt.NDArray[Any]
) -> Floats:
    """Return great-circle distances in km (haversine), from degrees; arrays broadcast."""
    phi, to_phi = np.radians(lat), np.radians(to_lat)
    half_phi, half_lambda = (to_phi - phi) / 2, np.radians(to_lon - lon) / 2
    chord = np.sin(half_phi) ** 2 + np.cos(phi) * np.cos(to_phi) * np.sin(half_lambda) ** 2
    distance: Floats = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(chord, 1.0)))
    return distance


def bearing_deg(
    lat: npt.NDArray[Any], lon: npt.NDArray[Any], to_lat: npt.NDArray[Any], to_lon: npt.NDArray[Any]
) -> Floats:
    """Return initial bearings in degrees from north, 0 to 360; arrays broadcast."""
    phi, to_phi = np.radians(lat), np.radians(to_lat)
    turn = np.radians(to_lon - lon)
    east = np.sin(turn) * np.cos(to_phi)
    north = np.cos(phi) * np.sin(to_phi) - np.sin(phi) * np.cos(to_phi) * np.cos(turn)
    bearing: Floats = np.degrees(np.arctan2(east, north)) % 360
    return bearing
