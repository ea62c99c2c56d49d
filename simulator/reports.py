"""What is seen of the world: GPS fixes, availability, weather and traffic, noisy and in turns.

Every source reports once an interval at a phase of its own, so the streams flow evenly.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from flink_jobs.event_schemas import GpsEvent, TrafficEvent, WeatherEvent
from simulator.case import Event, availability_event
from simulator.fields import Fields
from simulator.fleet import Fleet
from simulator.geography import KM_PER_DEGREE, Floats, Ints
from simulator.providers import Bools

_PHASE_SEED = 6


@dataclass(frozen=True)
class Intervals:
    """Seconds between two reports of one source."""

    gps_s: float = 15.0
    availability_s: float = 60.0
    conditions_s: float = 20.0
    """Weather and traffic, each."""


class Reporters:
    """Makes the reports that are due."""

    def __init__(
        self, fleet: Fleet, fields: Fields, intervals: Intervals, playable: Bools, seed: int
    ) -> None:
        self._fleet = fleet
        self._fields = fields
        self._intervals = intervals
        self._playable = playable
        phases = np.random.default_rng([seed, _PHASE_SEED])
        self._provider_phase: Floats = phases.random(len(fleet.providers))
        self._cell_phase: Floats = phases.random(len(fields.cells.names))
        self._noise = phases

    def everything(self, now_s: float) -> Iterator[Event]:
        """Yield a report of every provider and every cell."""
        yield from self._gps(self._on_the_road(np.ones_like(self._playable)), now_s)
        for index in np.flatnonzero(self._playable):
            yield availability_event(self._fleet, int(index), now_s)
        every_cell = np.arange(len(self._cell_phase))
        yield from self._weather(every_cell, now_s)
        yield from self._traffic(every_cell, now_s)

    def due(self, from_s: float, to_s: float) -> Iterator[Event]:
        """Yield the reports whose turn is after ``from_s`` and not after ``to_s``."""
        span, every = (from_s, to_s), self._intervals
        yield from self._gps(
            self._on_the_road(_turns(self._provider_phase, every.gps_s, span)), to_s
        )
        talks = _turns(1 - self._provider_phase, every.availability_s, span) & self._playable
        for index in np.flatnonzero(talks):
            yield availability_event(self._fleet, int(index), to_s)
        yield from self._weather(_turn_indices(self._cell_phase, every.conditions_s, span), to_s)
        yield from self._traffic(
            _turn_indices(1 - self._cell_phase, every.conditions_s, span), to_s
        )

    def _on_the_road(self, due: Bools) -> Ints:
        """Return who of those due has a truck switched on."""
        on = self._fleet.on_shift | (self._fleet.active_jobs > 0)
        return np.flatnonzero(due & on & self._playable)

    def _gps(self, who: Ints, now_s: float) -> Iterator[GpsEvent]:
        if not len(who):
            return
        accuracy_m = 3 + self._noise.gamma(2, 3, len(who))
        error = self._noise.normal(size=(2, len(who))) * accuracy_m / 2000 / KM_PER_DEGREE
        lat, lon = self._fleet.positions(now_s)
        kph, heading = self._fleet.motion(now_s)
        kph_seen = np.where(
            kph[who] > 0, np.maximum(kph[who] + self._noise.normal(0, 3, len(who)), 0), 0.0
        )
        ids, ts = self._fleet.providers.ids, round(now_s * 1000)
        columns = (lat[who] + error[0], lon[who] + error[1], kph_seen, heading[who], accuracy_m)
        rounded = (
            np.round(column, digits).tolist()
            for column, digits in zip(columns, (6, 6, 1, 1, 1), strict=True)
        )
        for index, *values in zip(who.tolist(), *rounded, strict=True):
            yield GpsEvent(ids[index], ts, *values)

    def _weather(self, cells: Ints, now_s: float) -> Iterator[WeatherEvent]:
        now, names, ts = self._fields.at(now_s), self._fields.cells.names, round(now_s * 1000)
        noise = self._noise.normal(size=(4, len(cells)))
        for at, index in enumerate(cells):
            yield WeatherEvent(
                cell=names[index],
                ts=ts,
                precip_mm_h=_positive(now.precip_mm_h[index] * (1 + 0.1 * noise[0, at]), 2),
                snow_cm=_positive(now.snow_cm[index] * (1 + 0.05 * noise[1, at]), 2),
                temp_c=round(float(now.temp_c[index] + 0.3 * noise[2, at]), 1),
                wind_kph=_positive(now.wind_kph[index] * (1 + 0.1 * noise[3, at]), 1),
                visibility_km=_positive(now.visibility_km[index], 2),
                alert_level=int(now.alert_level[index]),
            )

    def _traffic(self, cells: Ints, now_s: float) -> Iterator[TrafficEvent]:
        now, names, ts = self._fields.at(now_s), self._fields.cells.names, round(now_s * 1000)
        noise = self._noise.normal(0, 0.03, len(cells))
        for at, index in enumerate(cells):
            yield TrafficEvent(
                cell=names[index],
                ts=ts,
                speed_ratio=round(float(np.clip(now.speed_ratio[index] + noise[at], 0.05, 1.3)), 3),
                incidents=int(now.incidents[index]),
                closures=int(now.closures[index]),
            )


def _turns(phase: Floats, every_s: float, span: tuple[float, float]) -> Bools:
    """Return whose turn falls into a span of epoch seconds, open at its start."""
    turns: Bools = np.floor(span[0] / every_s + phase) != np.floor(span[1] / every_s + phase)
    return turns


def _turn_indices(phase: Floats, every_s: float, span: tuple[float, float]) -> Ints:
    return np.flatnonzero(_turns(phase, every_s, span))


def _positive(value: float, digits: int) -> float:
    return round(max(0.0, float(value)), digits)
