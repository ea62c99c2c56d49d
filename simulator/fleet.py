"""Where the trucks are and what they are doing: legs between points, shifts, jobs, mood."""

from typing import Literal

import numpy as np

from simulator.geography import KM_PER_DEGREE, Floats, Ints, plane_heading_deg, plane_km, solar_hour
from simulator.outcomes import ROAD_DETOUR, CandidateState
from simulator.providers import Bools, Providers

Status = Literal["available", "en_route", "on_scene", "offline"]

IDLE, EN_ROUTE, ON_SCENE = 0, 1, 2
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
        self._lon = providers.base_lon
        self.on_shift: Bools = self._shift_elapsed_h(start_s) < providers.shift_length_h
        self.active_jobs: Ints = np.zeros(n, dtype=np.int64)
        self.lead_state: Ints = np.zeros(n, dtype=np.int64)
        self.mood: Floats = rng.normal(size=n)
        self._from_lat, self._from_lon = self._near_base(_ROAM_KM)
        self._to_lat, self._to_lon = self._from_lat.copy(), self._from_lon.copy()
        self._shift_ends = (start_s, self._compute_shift_end_s(start_s))
        self._leaves_s: Floats = np.full(n, start_s)
        self._arrives_s: Floats = np.full(n, start_s)

    def tick(self, now_s: float, seconds: float) -> Ints:
        """Move on shifts, moods and parked trucks by a tick; return whose shift state changed."""
        n = len(self.providers)
        keep = np.exp(-seconds / _MOOD_RETURN_S)
        self.mood = keep * self.mood + np.sqrt(1 - keep**2) * self._rng.normal(size=n)
        on_shift = self._shift_elapsed_h(now_s) < self.providers.shift_length_h
        changed = np.flatnonzero(on_shift != self.on_shift)
        self.on_shift = on_shift
        parked = (self.lead_state == IDLE) & on_shift & (self._arrives_s <= now_s)
        roaming = np.flatnonzero(parked & (self._rng.random(n) < seconds * _ROAMS_PER_S))
        if len(roaming):
            lat, lon = self._near_base(_ROAM_KM)
            self._drive(roaming, lat[roaming], lon[roaming], now_s)
        return changed.astype(np.int64)

    def positions(self, now_s: float) -> tuple[Floats, Floats]:
        """Return latitudes and longitudes of the lead trucks, degrees, float64 [n]."""
        share = np.clip((now_s - self._leaves_s) / self._leg_s(), 0, 1)
        lat = self._from_lat + (self._to_lat - self._from_lat) * share
        lon = self._from_lon + (self._to_lon - self._from_lon) * share
        return lat, lon

    def motion(self, now_s: float) -> tuple[Floats, Floats]:
        """Return speeds (km/h, along the road) and headings (degrees) of the lead trucks."""
        rolling = (now_s > self._leaves_s) & (now_s < self._arrives_s)
        straight = plane_km(self._from_lat, self._from_lon, self._to_lat, self._to_lon)
        kph = np.where(rolling, straight * ROAD_DETOUR / (self._leg_s() / 3600), 0.0)
        heading = plane_heading_deg(self._from_lat, self._from_lon, self._to_lat, self._to_lon)
        return np.minimum(kph, 120.0), heading

    def status(self, index: int) -> Status:
        """Return the status that a provider reports."""
        if self.lead_state[index] == EN_ROUTE:
            return "en_route"
        if self.lead_state[index] == ON_SCENE:
            return "on_scene"
        return "available" if self.on_shift[index] else "offline"

    def shift_end_s(self, now_s: float) -> Floats:
        """Return when the present or the next shift ends, epoch seconds, float64 [n]."""
        if self._shift_ends[0] != now_s:  # asked once a provider at the same time
            self._shift_ends = (now_s, self._compute_shift_end_s(now_s))
        return self._shift_ends[1]

    def _compute_shift_end_s(self, now_s: float) -> Floats:
        elapsed, length = self._shift_elapsed_h(now_s), self.providers.shift_length_h
        hours_left = np.where(elapsed < length, length - elapsed, 24 - elapsed + length)
        # to the second: the same shift end must not jitter between reports
        return np.asarray(np.round(now_s + 3600 * hours_left))

    def free(self) -> Bools:
        """Return who is on shift and could take another job, bool [n]."""
        return np.asarray(self.on_shift & (self.active_jobs < self.providers.capacity))

    def candidate_state(self, index: Ints, now_s: float) -> CandidateState:
        """Return the true state of some providers; a second truck starts from the base."""
        lat, lon = self.positions(now_s)
        idle = self.lead_state[index] == IDLE
        return CandidateState(
            index=index,
            lat=np.where(idle, lat[index], self.providers.base_lat[index]),
            lon=np.where(idle, lon[index], self.providers.base_lon[index]),
            active_jobs=self.active_jobs[index],
            minutes_to_shift_end=(self.shift_end_s(now_s)[index] - now_s) / 60,
            mood=self.mood[index],
        )

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
        lat, lon = self.positions(now_s)
        self._from_lat[index] = self._to_lat[index] = lat[index]
        self._from_lon[index] = self._to_lon[index] = lon[index]
        self._leaves_s[index] = self._arrives_s[index] = now_s

    def _drive(self, index: Ints, lat: Floats, lon: Floats, now_s: float) -> None:
        from_lat, from_lon = self.positions(now_s)
        self._from_lat[index], self._from_lon[index] = from_lat[index], from_lon[index]
        self._to_lat[index], self._to_lon[index] = lat, lon
        road_km = plane_km(from_lat[index], from_lon[index], lat, lon) * ROAD_DETOUR
        self._leaves_s[index] = now_s
        self._arrives_s[index] = now_s + 3600 * road_km / _ROAM_KPH

    def _leg_s(self) -> Floats:
        return np.maximum(self._arrives_s - self._leaves_s, 1.0)

    def _shift_elapsed_h(self, now_s: float) -> Floats:
        elapsed: Floats = (solar_hour(now_s, self._lon) - self.providers.shift_start_h) % 24
        return elapsed

    def _near_base(self, km: float) -> tuple[Floats, Floats]:
        n = len(self.providers)
        away = km * np.sqrt(self._rng.random(n))
        angle = self._rng.uniform(0, 2 * np.pi, n)
        lat = self.providers.base_lat + away * np.cos(angle) / KM_PER_DEGREE
        east = KM_PER_DEGREE * np.cos(np.radians(self.providers.base_lat))
        return lat, self.providers.base_lon + away * np.sin(angle) / east
