"""Who asks for help, where and when."""

import h3
import numpy as np

from simulator.fields import Fields
from simulator.geography import H3_RESOLUTION, KM_PER_DEGREE
from simulator.outcomes import Request
from simulator.providers import SERVICE_SHARES, SERVICES

_CLASS_SHARES = np.array([0.82, 0.13, 0.05])
"""Light, medium, heavy vehicles."""
_CELL_RADIUS_KM = 1.2
_TYPICAL_DEMAND = 0.80
"""Mean of ``Conditions.demand`` over a day, so that the rate asked for is about met."""


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
        conditions = self._fields.at(from_s)
        weight = conditions.demand
        expected = self._per_hour * (to_s - from_s) / 3600 * weight.mean() / _TYPICAL_DEMAND
        count = int(self._rng.poisson(expected))
        times = np.sort(self._rng.uniform(from_s, to_s, count))
        cells = self._rng.choice(len(weight), count, p=weight / weight.sum())
        return [
            self._request(float(time_s), int(cell))
            for time_s, cell in zip(times, cells, strict=True)
        ]

    def _request(self, time_s: float, cell: int) -> Request:
        rng, cells = self._rng, self._fields.cells
        self._number += 1
        away, angle = _CELL_RADIUS_KM * np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi)
        lat = cells.lat[cell] + away * np.cos(angle) / KM_PER_DEGREE
        lon = cells.lon[cell] + away * np.sin(angle) / (
            KM_PER_DEGREE * np.cos(np.radians(cells.lat[cell]))
        )
        service = SERVICES[int(rng.choice(len(SERVICES), p=SERVICE_SHARES))]
        vehicle_class = int(rng.choice(3, p=_CLASS_SHARES)) + 1
        promised = self._promise(cell, service, vehicle_class, time_s)
        return Request(
            number=self._number,
            event_id=f"{self._prefix}-{self._number:07d}",
            time_s=round(time_s, 3),  # streams carry milliseconds
            lat=round(float(lat), 6),
            lon=round(float(lon), 6),
            # a point near an edge lies in the next cell, perhaps one outside the world
            cell=h3.latlng_to_cell(float(lat), float(lon), H3_RESOLUTION),
            metro=int(cells.metro[cell]),
            service=service,
            vehicle_class=vehicle_class,
            promised_minutes=promised,
            patience_minutes=promised * float(np.exp(rng.normal(0.75, 0.25))),
        )

    def _promise(self, cell: int, service: str, vehicle_class: int, time_s: float) -> float:
        """Return what a clerk would promise: a rule of thumb, rounded to five minutes."""
        conditions = self._fields.at(time_s)
        foul = float(conditions.precip_mm_h[cell] + 3 * conditions.snow_cm[cell])
        slow = 12 * (1 - float(conditions.speed_ratio[cell]))
        hard = 5 * (service in {"tow", "winch"}) + 6 * (vehicle_class - 1)
        minutes = 18 + hard + slow + 0.5 * foul + self._rng.normal(0, 4)
        return float(np.clip(5 * round(minutes / 5), 15, 60))
