"""80,000 providers in the simulator's metros, their rows of every view, and who asks for help."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from feature_repo.schema import (
    CELL_CONDITIONS,
    CELL_DEMAND,
    NUMPY_DTYPES,
    PROVIDER_AVAILABILITY,
    PROVIDER_HISTORY,
    PROVIDER_MOTION,
    PROVIDER_PROFILE,
    Kind,
    ViewSchema,
)
from simulator.geography import Cells, cells_of, offset
from simulator.metros import METROS, providers_of
from simulator.providers import SERVICE_SHARES, SERVICES, Providers, make_providers

ON_SHIFT_SHARE = 0.65
STATUSES = np.array(["available", "en_route", "on_scene"], dtype=object)
STATUS_SHARES = (0.7, 0.15, 0.15)
AWAY_KM = 4.0
"""How far from its base a provider is about."""
VEHICLE_SHARES = (0.85, 0.12, 0.03)
PROMISES_MIN = (30.0, 45.0, 60.0)
ROWS_AT_ONCE = 5_000

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """Rows of one view for some entities, all as of one moment."""

    schema: ViewSchema
    entities: Sequence[tuple[str, ...]]
    columns: dict[str, Any]
    event_us: npt.NDArray[np.int64]

    def parts(self, rows_at_once: int = ROWS_AT_ONCE) -> Iterator["Rows"]:
        """Yield so many at a time."""
        for start in range(0, len(self.entities), rows_at_once):
            part = slice(start, start + rows_at_once)
            columns = {name: values[part] for name, values in self.columns.items()}
            yield Rows(self.schema, self.entities[part], columns, self.event_us[part])

    def at(self, event_us: int) -> "Rows":
        """Return them as of another moment."""
        moments = np.full(len(self.entities), event_us, dtype=np.int64)
        told = {"status_reported_at": moments} if self.schema is PROVIDER_AVAILABILITY else {}
        return replace(self, columns={**self.columns, **told}, event_us=moments)


@dataclass(frozen=True)
class MetroWorld:
    """One metro: its cells, its providers, and where they are now."""

    cells: Cells
    providers: Providers
    lat: Floats
    lon: Floats


class World:
    """Everything that a request could be answered from."""

    def __init__(self, providers: int, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        counts = providers_of(providers, METROS)
        self.metros = [
            self._metro(metro, count, seed) for metro, count in zip(METROS, counts, strict=True)
        ]

    def _metro(self, metro: Any, count: int, seed: int) -> MetroWorld:
        cells = cells_of(metro)
        providers = make_providers(count, seed, cells)
        lat, lon = offset(
            providers.base_lat,
            providers.base_lon,
            np.abs(self._rng.normal(0, AWAY_KM, count)),
            self._rng.uniform(0, 2 * np.pi, count),
        )
        return MetroWorld(cells, providers, lat, lon)

    def live_rows(self, now_us: int) -> list[Rows]:
        """Return the rows that the streams keep renewing: motion and availability."""
        ids = [(name,) for metro in self.metros for name in metro.providers.ids]
        count = len(ids)
        place = {
            "lat": np.concatenate([metro.lat for metro in self.metros]),
            "lon": np.concatenate([metro.lon for metro in self.metros]),
        }
        motion = Rows(PROVIDER_MOTION, ids, self._columns(PROVIDER_MOTION, count, place), _none(0))
        state = self._state(count, now_us)
        availability = Rows(
            PROVIDER_AVAILABILITY, ids, self._columns(PROVIDER_AVAILABILITY, count, state), _none(0)
        )
        return [motion.at(now_us), availability.at(now_us)]

    def _state(self, count: int, now_us: int) -> dict[str, Any]:
        status = self._rng.choice(STATUSES, count, p=STATUS_SHARES)
        status[self._rng.random(count) >= ON_SHIFT_SHARE] = "offline"
        capacity = np.concatenate([metro.providers.capacity for metro in self.metros])
        active = np.where(status == "available", 0, 1)
        return {
            "status": status,
            "active_jobs": active,
            "free_capacity": np.maximum(capacity - active, 0),
            "shift_end": now_us + self._rng.integers(30, 600, count) * 60_000_000,
            "status_since": now_us - self._rng.integers(1, 120, count) * 60_000_000,
            "status_reported_at": _none(count),
        }

    def other_rows(self, now_us: int) -> Iterator[Rows]:
        """Yield the rows that stay: profiles, records, and those of the cells."""
        for metro in self.metros:
            who = metro.providers
            profile = self._columns(PROVIDER_PROFILE, len(who), _profile(who))
            yield Rows(PROVIDER_PROFILE, [(i,) for i in who.ids], profile, _none(0)).at(now_us)
            for number, service in enumerate(SERVICES):
                ids = [(who.ids[i], service) for i in np.flatnonzero(who.offers[:, number])]
                records = self._columns(PROVIDER_HISTORY, len(ids), {})
                yield Rows(PROVIDER_HISTORY, ids, records, _none(0)).at(now_us)
            cells = [(name,) for name in metro.cells.names]
            for view in (CELL_CONDITIONS, CELL_DEMAND):
                yield Rows(view, cells, self._columns(view, len(cells), {}), _none(0)).at(
                    now_us + 3_600_000_000  # the cells are few; nobody renews them
                )

    def requests(self, count: int) -> list[bytes]:
        """Return bodies of requests for help, without their event_id: ``%d`` stands for it."""
        people = np.array([metro.cells.metro.population for metro in self.metros], dtype=np.float64)
        where = self._rng.choice(len(self.metros), count, p=people / people.sum())
        return [self._request(self.metros[place]) for place in where]

    def _request(self, metro: MetroWorld) -> bytes:
        cells = metro.cells
        cell = self._rng.choice(len(cells.names), p=cells.density / cells.density.sum())
        lat, lon = offset(
            cells.lat[[cell]],
            cells.lon[[cell]],
            self._rng.uniform(0, 1.2, 1),
            self._rng.uniform(0, 2 * np.pi, 1),
        )
        asked = {
            "event_id": "bench-%d",
            "location": {"lat": round(float(lat[0]), 5), "lon": round(float(lon[0]), 5)},
            "service": str(self._rng.choice(SERVICES, p=SERVICE_SHARES)),
            "vehicle_class": int(self._rng.choice([1, 2, 3], p=VEHICLE_SHARES)),
            "promised_minutes": float(self._rng.choice(PROMISES_MIN)),
            "top_k": 5,
        }
        return msgspec.json.encode(asked)

    def _columns(self, view: ViewSchema, count: int, given: dict[str, Any]) -> dict[str, Any]:
        return {
            column.name: given.get(column.name, self._made(column.name, column.kind, count))
            for column in view.columns
        }

    def _made(self, name: str, kind: Kind, count: int) -> npt.NDArray[Any]:
        if kind is Kind.STRING:
            return np.full(count, "872681234ffffff", dtype=object)
        if kind is Kind.TIMESTAMP:
            return _none(count)
        low, high = _RANGES.get(name.rsplit("_", 1)[0], _RANGES.get(name, (0, 10)))
        return self._rng.uniform(low, high, count).astype(NUMPY_DTYPES[kind])


_RANGES = {
    "acceptance_rate": (0.3, 1), "completion_rate": (0.6, 1), "cancel_rate": (0, 0.3),
    "satisfaction": (3, 5), "heading_deg": (0, 360), "speed_mean_kph": (0, 90),
    "speed_ratio_mean": (0.5, 1), "speed_ratio_trend": (-0.1, 0.1), "moving_share": (0, 1),
    "precip_mm_h": (0, 3), "jobs": (0, 60),
}  # fmt: skip


def _profile(who: Providers) -> dict[str, Any]:
    return {
        "base_lat": who.base_lat,
        "base_lon": who.base_lon,
        "radius_km": who.radius_km.astype(np.float32),
        "contract_tier": who.contract_tier,
        "cost_per_job_usd": who.cost_per_job_usd.astype(np.float32),
        "max_vehicle_class": who.max_vehicle_class,
        **{f"can_{service}": who.offers[:, i] for i, service in enumerate(SERVICES)},
    }


def _none(count: int) -> npt.NDArray[np.int64]:
    return np.zeros(count, dtype=np.int64)
