"""Who asks for help, where and when."""

import h3
import numpy as np

from simulator.fields import Fields
from simulator.geography import H3_RESOLUTION, offset
from simulator.luck import Floats, Ints
from simulator.outcomes import Request
from simulator.providers import SERVICE_SHARES, SERVICES

_CLASS_SHARES = np.array([0.82, 0.13, 0.05])
"""Light, medium, heavy vehicles."""
_CELL_RADIUS_KM = 1.2
_TYPICAL_DEMAND = 0.80
"""Mean of ``Conditions.demand`` over a dry day, so that the rate asked for is about met."""
_HARD_SERVICES = frozenset({"tow", "winch"})


class Demand:
    """Draws requests; their number follows the cells' relative demand."""

    def __init__(
        self, fields: Fields, per_hour: float, event_prefix: str, rng: np.random.Generator
    ) -> None:
        self._fields = fields
        self._per_hour = per_hour
        self._prefix = event_prefix
        self._rng = rng
        self._number = 0

    def between(self, from_s: float, to_s: float) -> list[Request]:
        """Return the requests of a span of epoch seconds, by time."""
        weight = self._fields.at(from_s).demand
        expected = self._per_hour * (to_s - from_s) / 3600 * weight.mean() / _TYPICAL_DEMAND
        count = int(self._rng.poisson(expected))
        if not count:
            return []
        rng, cells = self._rng, self._fields.cells
        times = np.sort(rng.uniform(from_s, to_s, count))
        cell = _drawn(weight, rng.random(count))
        away_km = _CELL_RADIUS_KM * np.sqrt(rng.random(count))
        lat, lon = offset(
            cells.lat[cell], cells.lon[cell], away_km, rng.uniform(0, 2 * np.pi, count)
        )
        service = _drawn(SERVICE_SHARES, rng.random(count))
        vehicle_class = _drawn(_CLASS_SHARES, rng.random(count)) + 1
        promised = self._promises(cell, service, vehicle_class, from_s)
        patience = promised * np.exp(rng.normal(0.75, 0.25, count))
        columns = (times, lat, lon, service, vehicle_class, promised, patience)
        return [self._request(*row) for row in zip(*(c.tolist() for c in columns), strict=True)]

    def _request(  # noqa: PLR0913, PLR0917 - a row of the columns above
        self,
        time_s: float,
        lat: float,
        lon: float,
        service: int,
        vehicle_class: int,
        promised_minutes: float,
        patience_minutes: float,
    ) -> Request:
        self._number += 1
        lat, lon = round(lat, 6), round(lon, 6)
        return Request(
            number=self._number,
            event_id=f"{self._prefix}-{self._number:07d}",
            time_s=round(time_s, 3),  # streams carry milliseconds
            lat=lat,
            lon=lon,
            # a point near an edge lies in the next cell, perhaps one outside the world
            cell=h3.latlng_to_cell(lat, lon, H3_RESOLUTION),
            metro=self._fields.cells.metro.name,
            service=SERVICES[service],
            vehicle_class=vehicle_class,
            promised_minutes=promised_minutes,
            patience_minutes=patience_minutes,
        )

    def _promises(self, cell: Ints, service: Ints, vehicle_class: Ints, time_s: float) -> Floats:
        """Return what a clerk would promise: a rule of thumb, rounded to five minutes."""
        now = self._fields.at(time_s)
        foul = now.precip_mm_h[cell] + 3 * now.snow_cm[cell]
        hard = 5 * _IS_HARD[service] + 6 * (vehicle_class - 1)
        minutes = 18 + hard + 12 * (1 - now.speed_ratio[cell]) + 0.5 * foul
        minutes += self._rng.normal(0, 4, len(cell))
        return np.asarray(np.clip(5 * np.round(minutes / 5), 15, 60))


_IS_HARD = np.array([service in _HARD_SERVICES for service in SERVICES])


def _drawn(weight: Floats, uniform: Floats) -> Ints:
    """Return positions drawn in proportion to weights, int64 [n], from uniforms [n]."""
    edges = np.cumsum(weight)
    drawn: Ints = np.searchsorted(edges, uniform * edges[-1], "right").astype(np.int64)
    return np.minimum(drawn, len(weight) - 1)
