"""Where providers were when they were last read: who is near while the geo index is away."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from feature_repo.geometry import great_circle_km
from scoring.gateway.messages import Location

PROVIDERS_AT_MOST = 100_000
RADIUS_KM = 120.0
"""As far as the widest ring of the geo index."""
_KM_A_DEGREE = 111.0


class LastPositions:
    """A bounded table of positions, 30 bytes a provider and its name.

    Args:
        at_most: Beyond so many providers, those that have been known for longest are forgotten.
    """

    def __init__(self, at_most: int = PROVIDERS_AT_MOST) -> None:
        self._rows: dict[str, int] = {}
        self._ids: list[str | None] = [None] * at_most
        self._lat = np.full(at_most, np.nan)
        self._lon = np.full(at_most, np.nan)
        self._next = 0

    def remember(
        self,
        provider_ids: Sequence[str],
        lat: npt.NDArray[np.float64],
        lon: npt.NDArray[np.float64],
    ) -> None:
        """Take positions, degrees, float64 [n]; NaN is none."""
        known = self._rows
        rows = [known[p] if p in known else self._new_row(p) for p in provider_ids]
        self._lat[rows], self._lon[rows] = lat, lon

    def near(self, place: Location, at_most: int) -> list[str]:
        """Return the nearest providers within ``RADIUS_KM``, nearest first."""
        # A square around the place first: most of the table is far away.
        square = np.abs(self._lat - place.lat) <= RADIUS_KM / _KM_A_DEGREE
        rows = np.flatnonzero(square)
        here = np.asarray(place.lat), np.asarray(place.lon)
        km = great_circle_km(self._lat[rows], self._lon[rows], *here)
        nearest = np.argsort(km, kind="stable")[:at_most]
        near = nearest[km[nearest] <= RADIUS_KM]
        return [provider_id for row in rows[near] if (provider_id := self._ids[row]) is not None]

    def _new_row(self, provider_id: str) -> int:
        row, self._next = self._next, (self._next + 1) % len(self._ids)
        forgotten = self._ids[row]
        if forgotten is not None:
            del self._rows[forgotten]
        self._ids[row] = provider_id
        self._rows[provider_id] = row
        return row
