"""Who the providers are: what contracts say of them, and what nobody can see."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.geography import Cells, offset
from simulator.luck import Floats, Ints, key_of
from simulator.metros import Metro

SERVICES: tuple[str, ...] = ("tow", "jump_start", "tire_change", "lockout", "fuel", "winch")
SERVICE_SHARES = np.array([0.35, 0.20, 0.18, 0.12, 0.08, 0.07])
"""Share of requests a service."""
_OFFERED_SHARES = np.array([0.75, 0.80, 0.80, 0.60, 0.65, 0.40])
"""Share of providers that offer each service."""
_PROVIDERS_SEED = 1
_BASE_JITTER_KM = 1.3

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class HiddenTraits:
    """What decides outcomes and is on no stream and in no table.

    Attributes:
        eagerness: Readiness to accept, standard normal, float64 [n].
        quality: Reliability and care, standard normal, float64 [n].
        skill: Reliability by service, on top of quality, float64 [n, 6].
        taste: Readiness to accept by service, on top of eagerness, float64 [n, 6].
        pace: Speed against the usual driver, about 1, float64 [n].
        mobilise_min: Usual minutes from accepting to rolling, float64 [n].
    """

    eagerness: Floats
    quality: Floats
    skill: Floats
    taste: Floats
    pace: Floats
    mobilise_min: Floats


@dataclass(frozen=True)
class Providers:
    """n providers; arrays share their order.

    Attributes:
        ids: Provider ids.
        base_lat: Base, degrees.
        base_lon: Base, degrees.
        radius_km: How far from the base the contract reaches, km.
        contract_tier: 1 (preferred) to 3.
        cost_per_job_usd: US dollars.
        max_vehicle_class: 1 to 3.
        offers: Whether a service is offered, bool [n, 6], columns as ``SERVICES``.
        capacity: Jobs at a time.
        shift_start_h: Solar hour at which the shift begins.
        shift_length_h: Hours.
        volume: Jobs a day and service, relative to others.
        hidden: What nobody sees.
    """

    ids: tuple[str, ...]
    base_lat: Floats
    base_lon: Floats
    radius_km: Floats
    contract_tier: Ints
    cost_per_job_usd: Floats
    max_vehicle_class: Ints
    offers: Bools
    capacity: Ints
    shift_start_h: Floats
    shift_length_h: Floats
    volume: Floats
    hidden: HiddenTraits

    def __len__(self) -> int:
        return len(self.ids)


def make_providers(count: int, seed: int, cells: Cells) -> Providers:
    """Return the providers of a metro; the same count, seed and metro give the same ones."""
    rng = np.random.default_rng(key_of(seed, _PROVIDERS_SEED, cells.metro.name))
    # bases are where people are, but less crowded than they: yards need room
    crowd = cells.density**0.7 * (1 + 0.5 * cells.highway)
    home = rng.choice(len(crowd), count, p=crowd / crowd.sum())
    away_km = _BASE_JITTER_KM * np.sqrt(rng.random(count))
    base_lat, base_lon = offset(
        cells.lat[home], cells.lon[home], away_km, rng.uniform(0, 2 * np.pi, count)
    )
    offers = rng.random((count, len(SERVICES))) < _OFFERED_SHARES
    offers[np.arange(count), rng.integers(0, len(SERVICES), count)] = True  # at least one
    hidden = _hidden_traits(count, rng)
    tier = rng.choice([1, 2, 3], count, p=[0.35, 0.45, 0.20])
    return Providers(
        ids=tuple(provider_id(cells.metro, i) for i in range(count)),
        base_lat=base_lat,
        base_lon=base_lon,
        radius_km=rng.uniform(9, 25, count),
        contract_tier=tier,
        cost_per_job_usd=np.asarray(np.round(rng.gamma(20, 4.5, count) + 6.0 * tier, 2)),
        max_vehicle_class=rng.choice([1, 2, 3], count, p=[0.55, 0.30, 0.15]),
        offers=offers,
        capacity=rng.choice([1, 2, 3], count, p=[0.60, 0.30, 0.10]),
        shift_start_h=_shift_starts(count, rng),
        shift_length_h=rng.uniform(9, 14, count),
        volume=rng.gamma(3, 1 / 3, count),
        hidden=hidden,
    )


def provider_id(metro: Metro, index: int) -> str:
    """Return the id of a metro's provider."""
    return f"{metro.name}-{index:05d}"


def _shift_starts(count: int, rng: np.random.Generator) -> Floats:
    """Return solar hours; days are better staffed than nights: most begin in the morning."""
    morning, any_time = rng.normal(7.5, 2.0, count), rng.uniform(0, 24, count)
    return np.asarray(np.where(rng.random(count) < 0.6, morning, any_time) % 24.0)


def _hidden_traits(count: int, rng: np.random.Generator) -> HiddenTraits:
    quality = rng.normal(size=count)
    return HiddenTraits(
        eagerness=0.35 * quality + np.sqrt(1 - 0.35**2) * rng.normal(size=count),
        quality=quality,
        skill=rng.normal(0, 0.7, (count, len(SERVICES))),
        taste=rng.normal(0, 0.6, (count, len(SERVICES))),
        pace=np.exp(rng.normal(0, 0.15, count)),
        mobilise_min=1.0 + rng.gamma(2.2, 2.6, count),
    )
