"""Where the trucks are and what they are doing: legs between points, shifts, jobs, mood."""

from typing import Literal

import numpy as np

from simulator.geography import offset, plane_heading_deg, plane_km
from simulator.luck import Floats, Ints
from simulator.outcomes import ROAD_DETOUR, CandidateState
from simulator.providers import Bools, Providers

Status = Literal["available", "en_route", "on_scene", "offline"]
STATUSES: tuple[Status, ...] = ("available", "en_route", "on_scene", "offline")

IDLE, EN_ROUTE, ON_SCENE = 0, 1, 2
"""What a lead truck does; on shift these are also positions in ``STATUSES``."""
OFFLINE = 3
_MOOD_RETURN_S = 2.0 * 3600
"""Moods last about this long."""
_ROAMS_PER_S = 1 / 1500.0
"""A parked truck drives to another stand about every 25 minutes."""
_ROAM_KM = 4.0
_ROAM_KPH = 38.0


class Fleet:
    """State of all providers. A truck is always on a leg; a finished leg means standing."""

    def __init__(self, providers: Providers, start_s: float, rng: np.random.Generator) -> None:
        n = len(providers)
        self.providers = providers
        self._rng = rng
        self._shift_offset_h = providers.base_lon / 15 - providers.shift_start_h
        self.on_shift: Bools = self._shift_elapsed_h(start_s) < providers.shift_length_h
        self.active_jobs: Ints = np.zeros(n, dtype=np.int64)
        self.lead_state: Ints = np.zeros(n, dtype=np.int64)
        self.mood: Floats = rng.normal(size=n)
        self._from_lat, self._from_lon = self._near_base(np.arange(n))
        self._to_lat, self._to_lon = self._from_lat.copy(), self._from_lon.copy()
        self._leaves_s: Floats = np.full(n, start_s)
        self._arrives_s: Floats = np.full(n, start_s)

    def tick(self, now_s: float, seconds: float) -> Ints:
        """Move on shifts, moods and parked trucks by a tick; return whose shift state changed."""
        n = len(self.providers)
        keep = np.exp(-seconds / _MOOD_RETURN_S)
        self.mood *= keep
        self.mood += np.sqrt(1 - keep**2) * self._rng.standard_normal(n)
        on_shift = self._shift_elapsed_h(now_s) < self.providers.shift_length_h
        changed = np.flatnonzero(on_shift != self.on_shift)
        self.on_shift = on_shift
        restless = np.flatnonzero(self._rng.random(n) < seconds * _ROAMS_PER_S)
        parked = (self.lead_state[restless] == IDLE) & (self._arrives_s[restless] <= now_s)
        self._roam(restless[parked & on_shift[restless]], now_s)
        return changed.astype(np.int64)

    def positions(self, index: Ints, now_s: float) -> tuple[Floats, Floats]:
        """Return latitudes and longitudes of some lead trucks, degrees, float64 [m]."""
        leaves_s = self._leaves_s[index]
        leg_s = np.maximum(self._arrives_s[index] - leaves_s, 1.0)
        share = np.minimum(np.maximum((now_s - leaves_s) / leg_s, 0), 1)
        lat, lon = self._from_lat[index], self._from_lon[index]
        lat += (self._to_lat[index] - lat) * share
        lon += (self._to_lon[index] - lon) * share
        return lat, lon

    def motion(self, index: Ints, now_s: float) -> tuple[Floats, Floats]:
        """Return speeds (km/h, along the road) and headings (degrees) of some lead trucks."""
        leaves_s, arrives_s = self._leaves_s[index], self._arrives_s[index]
        leg = (
            self._from_lat[index],
            self._from_lon[index],
            self._to_lat[index],
            self._to_lon[index],
        )
        leg_h = np.maximum(arrives_s - leaves_s, 1.0) / 3600
        rolling = (now_s > leaves_s) & (now_s < arrives_s)
        kph = np.where(rolling, plane_km(*leg) * ROAD_DETOUR / leg_h, 0.0)
        return np.minimum(kph, 120.0), plane_heading_deg(*leg)

    def status_codes(self, index: Ints) -> Ints:
        """Return what some providers report, positions in ``STATUSES``, int64 [m]."""
        state = self.lead_state[index]
        return np.where((state == IDLE) & ~self.on_shift[index], OFFLINE, state)

    def status(self, index: int) -> Status:
        """Return the status that a provider reports."""
        state = int(self.lead_state[index])
        return STATUSES[OFFLINE if state == IDLE and not self.on_shift[index] else state]

    def shift_end_s(self, index: Ints, now_s: float) -> Floats:
        """Return when the present or the next shift ends, epoch seconds, float64 [m]."""
        length = self.providers.shift_length_h[index]
        elapsed = (now_s / 3600 + self._shift_offset_h[index]) % 24
        hours_left = np.where(elapsed < length, length - elapsed, 24 - elapsed + length)
        # to the second: the same shift end must not jitter between reports
        return np.asarray(np.round(now_s + 3600 * hours_left))

    def shift_end_of_s(self, index: int, now_s: float) -> float:
        """Return ``shift_end_s`` of one provider."""
        length = float(self.providers.shift_length_h[index])
        elapsed = (now_s / 3600 + float(self._shift_offset_h[index])) % 24
        hours_left = length - elapsed if elapsed < length else 24 - elapsed + length
        return float(round(now_s + 3600 * hours_left))

    def is_free(self, index: Ints) -> Bools:
        """Return which of some providers are on shift and could take another job, bool [m]."""
        could = self.active_jobs[index] < self.providers.capacity[index]
        return np.asarray(self.on_shift[index] & could)

    def one_is_free(self, index: int) -> bool:
        """Return ``is_free`` of one provider."""
        return bool(
            self.on_shift[index] and self.active_jobs[index] < self.providers.capacity[index]
        )

    def candidate_state(self, index: Ints, now_s: float) -> CandidateState:
        """Return the true state of some providers; a second truck starts from the base."""
        lat, lon = self.whereabouts(index, now_s)
        return CandidateState(
            index=index,
            lat=lat,
            lon=lon,
            active_jobs=self.active_jobs[index],
            minutes_to_shift_end=(self.shift_end_s(index, now_s) - now_s) / 60,
            mood=self.mood[index],
        )

    def whereabouts(self, index: Ints, now_s: float) -> tuple[Floats, Floats]:
        """Return from where some providers would come, degrees, float64 [m]."""
        lat, lon = self.positions(index, now_s)
        idle = self.lead_state[index] == IDLE
        p = self.providers
        return np.where(idle, lat, p.base_lat[index]), np.where(idle, lon, p.base_lon[index])

    def send(
        self, index: int, to: tuple[float, float], now_s: float, leg_s: tuple[float, float]
    ) -> None:
        """Stop a lead truck and put it on its way to a driver: when it leaves, when it arrives."""
        self.stop(index, now_s)
        (lat, lon), (leaves_s, arrives_s) = to, leg_s
        self._to_lat[index], self._to_lon[index] = lat, lon
        self._leaves_s[index], self._arrives_s[index] = leaves_s, arrives_s

    def stop(self, index: int, now_s: float) -> None:
        """Stop a lead truck where it is."""
        leaves_s, arrives_s = float(self._leaves_s[index]), float(self._arrives_s[index])
        share = min(max((now_s - leaves_s) / max(arrives_s - leaves_s, 1.0), 0.0), 1.0)
        for start, to in ((self._from_lat, self._to_lat), (self._from_lon, self._to_lon)):
            start[index] = to[index] = start[index] + (to[index] - start[index]) * share
        self._leaves_s[index] = self._arrives_s[index] = now_s

    def _roam(self, index: Ints, now_s: float) -> None:
        if not len(index):
            return
        from_lat, from_lon = self.positions(index, now_s)
        lat, lon = self._near_base(index)
        self._from_lat[index], self._from_lon[index] = from_lat, from_lon
        self._to_lat[index], self._to_lon[index] = lat, lon
        road_km = plane_km(from_lat, from_lon, lat, lon) * ROAD_DETOUR
        self._leaves_s[index] = now_s
        self._arrives_s[index] = now_s + 3600 * road_km / _ROAM_KPH

    def _shift_elapsed_h(self, now_s: float) -> Floats:
        elapsed: Floats = (now_s / 3600 + self._shift_offset_h) % 24
        return elapsed

    def _near_base(self, index: Ints) -> tuple[Floats, Floats]:
        away_km = _ROAM_KM * np.sqrt(self._rng.random(len(index)))
        angle = self._rng.uniform(0, 2 * np.pi, len(index))
        p = self.providers
        return offset(p.base_lat[index], p.base_lon[index], away_km, angle)
