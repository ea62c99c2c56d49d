"""Who is near while the geo index is away: by the rows that were read last."""

import numpy as np

from feature_repo.geometry import great_circle_km
from feature_repo.online.async_reader import AsyncFeatureReader
from feature_repo.schema import PROVIDER_MOTION, PROVIDER_PROFILE
from scoring.gateway.messages import Location

RADIUS_KM = 120.0
"""As far as the widest ring of the geo index."""
_KM_A_DEGREE = 111.0


def nearest(reader: AsyncFeatureReader, place: Location, at_most: int) -> list[str]:
    """Return the providers within ``RADIUS_KM`` of a place, nearest first.

    Who has no position known is taken to be at its base.
    """
    moved = reader.last_values(PROVIDER_MOTION, ("lat", "lon"))
    bases = reader.last_values(PROVIDER_PROFILE, ("base_lat", "base_lon"))
    lat, lon = np.where(np.isnan(moved[0]), bases, moved)
    # A square around the place first: most providers are far away.
    rows = np.flatnonzero(np.abs(lat - place.lat) <= RADIUS_KM / _KM_A_DEGREE)
    km = great_circle_km(lat[rows], lon[rows], np.asarray(place.lat), np.asarray(place.lon))
    by_distance = np.argsort(km, kind="stable")[:at_most]
    ids = reader.last_entities()
    return [ids[row] for row in rows[by_distance[km[by_distance] <= RADIUS_KM]].tolist()]
