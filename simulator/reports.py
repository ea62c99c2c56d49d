"""What is seen of the world: GPS fixes, availability, weather and traffic, noisy and in turns.

Every source reports once an interval at a phase of its own, so the streams flow evenly. A tick's
reports are columns; whoever needs events makes them of these (``report_events.py``).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.fields import Fields
from simulator.fleet import Fleet
from simulator.geography import KM_PER_DEGREE
from simulator.luck import Floats, Ints, key_of
from simulator.providers import Bools

_PHASE_SEED = 6


@dataclass(frozen=True)
class Intervals:
    """Seconds between two reports of one source."""

    gps_s: float = 15.0
    availability_s: float = 60.0
    conditions_s: float = 20.0
    """Weather and traffic, each."""


@dataclass(frozen=True)
class Columns:
    """Reports of one kind and one time.

    Attributes:
        who: Positions of the sources, providers or cells, int64 [n].
        ts_ms: When, epoch milliseconds.
        values: The fields of the kind's event but for its key and its time, in order; each [n].
    """

    who: Ints
    ts_ms: int
    values: dict[str, npt.NDArray[np.float64] | npt.NDArray[np.int64]]


@dataclass(frozen=True)
class Reports:
    """The reports of one tick. ``status`` is a position in ``fleet.STATUSES``."""

    gps: Columns
    availability: Columns
    weather: Columns
    traffic: Columns


class Reporters:
    """Makes the reports that are due."""

    def __init__(
        self, fleet: Fleet, fields: Fields, intervals: Intervals, playable: Bools, seed: int
    ) -> None:
        self._fleet = fleet
        self._fields = fields
        self._intervals = intervals
        self._playable = playable
        rng = np.random.default_rng(key_of(seed, _PHASE_SEED, fields.cells.metro.name))
        self._provider_phase: Floats = rng.random(len(fleet.providers))
        self._cell_phase: Floats = rng.random(len(fields.cells.names))
        self._noise = rng

    def everything(self, now_s: float) -> Reports:
        """Return a report of every provider and every cell."""
        providers = np.ones_like(self._playable)
        cells = np.arange(len(self._cell_phase))
        return Reports(
            self._gps(providers, now_s),
            self._availability(providers, now_s),
            self._weather(cells, now_s),
            self._traffic(cells, now_s),
        )

    def due(self, from_s: float, to_s: float) -> Reports:
        """Return the reports whose turn is after ``from_s`` and not after ``to_s``."""
        span, every = (from_s, to_s), self._intervals
        return Reports(
            self._gps(_turns(self._provider_phase, every.gps_s, span), to_s),
            self._availability(_turns(1 - self._provider_phase, every.availability_s, span), to_s),
            self._weather(_turn_indices(self._cell_phase, every.conditions_s, span), to_s),
            self._traffic(_turn_indices(1 - self._cell_phase, every.conditions_s, span), to_s),
        )

    def _gps(self, due: Bools, now_s: float) -> Columns:
        on = self._fleet.on_shift | (self._fleet.active_jobs > 0)  # whose truck is switched on
        who = np.flatnonzero(due & on & self._playable)
        accuracy_m = 3 + self._noise.gamma(2, 3, len(who))
        error = self._noise.normal(size=(2, len(who))) * accuracy_m / 2000 / KM_PER_DEGREE
        lat, lon = self._fleet.positions(who, now_s)
        kph, heading = self._fleet.motion(who, now_s)
        noisy_kph = np.maximum(kph + self._noise.normal(0, 3, len(who)), 0)
        return _columns(
            who,
            now_s,
            lat=np.round(lat + error[0], 6),
            lon=np.round(lon + error[1], 6),
            speed_kph=np.round(np.where(kph > 0, noisy_kph, 0.0), 1),
            heading_deg=np.round(heading, 1),
            accuracy_m=np.round(accuracy_m, 1),
        )

    def _availability(self, due: Bools, now_s: float) -> Columns:
        return self.availability_of(np.flatnonzero(due & self._playable), now_s)

    def availability_of(self, who: Ints, now_s: float) -> Columns:
        """Return what some providers say of themselves now."""
        fleet = self._fleet
        return _columns(
            who,
            now_s,
            status=fleet.status_codes(who),
            active_jobs=fleet.active_jobs[who],
            capacity=fleet.providers.capacity[who],
            shift_end_ts=np.round(fleet.shift_end_s(who, now_s) * 1000).astype(np.int64),
        )

    def _weather(self, cells: Ints, now_s: float) -> Columns:
        now = self._fields.at(now_s)
        noise = self._noise.normal(size=(4, len(cells)))
        return _columns(
            cells,
            now_s,
            precip_mm_h=_positive(now.precip_mm_h[cells] * (1 + 0.1 * noise[0]), 2),
            snow_cm=_positive(now.snow_cm[cells] * (1 + 0.05 * noise[1]), 2),
            temp_c=np.round(now.temp_c[cells] + 0.3 * noise[2], 1),
            wind_kph=_positive(now.wind_kph[cells] * (1 + 0.1 * noise[3]), 1),
            visibility_km=_positive(now.visibility_km[cells], 2),
            alert_level=now.alert_level[cells],
        )

    def _traffic(self, cells: Ints, now_s: float) -> Columns:
        now = self._fields.at(now_s)
        noise = self._noise.normal(0, 0.03, len(cells))
        return _columns(
            cells,
            now_s,
            speed_ratio=_rounded_ratio(now.speed_ratio[cells] + noise),
            incidents=now.incidents[cells],
            closures=now.closures[cells],
        )


def _columns(
    who: Ints, now_s: float, **values: npt.NDArray[np.float64] | npt.NDArray[np.int64]
) -> Columns:
    return Columns(who, round(now_s * 1000), values)


def _turns(phase: Floats, every_s: float, span: tuple[float, float]) -> Bools:
    """Return whose turn falls into a span of epoch seconds, open at its start."""
    turns: Bools = np.floor(span[0] / every_s + phase) != np.floor(span[1] / every_s + phase)
    return turns


def _turn_indices(phase: Floats, every_s: float, span: tuple[float, float]) -> Ints:
    return np.flatnonzero(_turns(phase, every_s, span))


def _rounded_ratio(values: Floats) -> Floats:
    return np.asarray(np.round(np.clip(values, 0.05, 1.3), 3))


def _positive(values: Floats, digits: int) -> Floats:
    return np.round(np.maximum(values, 0.0), digits)
