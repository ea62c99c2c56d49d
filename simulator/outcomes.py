"""The generating model of outcomes: hidden traits, the true roads and weather, and noise.

Nothing here reads a computed feature, a stream or a table. Everything is a pure function of the
state and of draws from a generator keyed by the request, so that what *would* have become of any
candidate can be asked as well as what did.
"""

from dataclasses import dataclass

import numpy as np

from simulator.fields import Fields, route_cells
from simulator.geography import Floats, Ints, plane_km
from simulator.providers import SERVICES, Bools, Providers

ROAD_DETOUR = 1.37
"""True road over straight-line distance."""
_DRIVE_NOISE = 0.16
_MOBILISE_NOISE = 0.35
_NO_ANSWER_SHARE = 0.12
"""Share of the unwilling who do not even decline."""
SATISFACTION_ANSWER_SHARE = 0.75
_HARD_SERVICES = frozenset({"tow", "winch"})


@dataclass(frozen=True)
class Request:
    """A driver asks for help: epoch seconds, degrees, minutes."""

    number: int
    event_id: str
    time_s: float
    lat: float
    lon: float
    cell: str
    metro: int
    service: str
    vehicle_class: int
    promised_minutes: float
    patience_minutes: float


@dataclass(frozen=True)
class Prospects:
    """What n candidates would do for one request; arrays [n]."""

    accept_probability: Floats
    complete_probability: Floats
    mobilise_min: Floats
    """Usual minutes from accepting to rolling, for this provider now."""
    drive_min: Floats
    """Usual minutes on the road."""
    drive_km: Floats
    """Road distance."""
    satisfaction_base: Floats


@dataclass(frozen=True)
class Draws:
    """One draw of what n candidates do; arrays [n]."""

    accepts: Bools
    answers: Bools
    response_s: Floats
    completes: Bools
    mobilise_min: Floats
    drive_min: Floats
    on_scene_min: Floats
    fails_at_share: Floats
    """When a job is given up: share of the way there."""
    satisfaction_noise: Floats
    satisfaction_answered: Bools
    satisfaction_delay_min: Floats


@dataclass(frozen=True)
class CandidateState:
    """The candidates as they truly are when asked; arrays [n]."""

    index: Ints
    lat: Floats
    lon: Floats
    active_jobs: Ints
    minutes_to_shift_end: Floats
    mood: Floats


def prospects(
    providers: Providers, fields: Fields, request: Request, state: CandidateState, time_s: float
) -> Prospects:
    """Return what the candidates would usually do for a request, at an epoch time in seconds."""
    hidden, who = providers.hidden, state.index
    service = SERVICES.index(request.service)
    now = fields.at(time_s)
    route = route_cells(fields.cells, state.lat, state.lon, (request.lat, request.lon))
    precip = now.precip_mm_h[route].mean(axis=1)
    snow = now.snow_cm[route].mean(axis=1)
    drive_km = plane_km(state.lat, state.lon, request.lat, request.lon) * ROAD_DETOUR
    kph = (fields.free_flow_kph * now.speed_ratio)[route].mean(axis=1) * hidden.pace[who]
    kph = kph / (1 + 0.02 * precip + 0.06 * snow)
    drive_min = 60 * drive_km / np.maximum(kph, 6)
    mobilise_min = hidden.mobilise_min[who] * (1 + 0.05 * snow)
    willing = (
        willing_logit(providers, service, drive_min, who)
        + 0.7 * state.mood
        - 1.2 * state.active_jobs
        - 1.8 * (state.minutes_to_shift_end < 40)
        - 0.06 * precip
        - 0.4 * (request.vehicle_class == 3)
    )
    reliable = reliable_logit(providers, service, drive_min, who) - 0.04 * precip
    return Prospects(
        accept_probability=logistic(willing),
        complete_probability=logistic(reliable),
        mobilise_min=mobilise_min,
        drive_min=drive_min,
        drive_km=drive_km,
        satisfaction_base=satisfaction_base(providers, service, who),
    )


def draw(prospect: Prospects, service: str, rng: np.random.Generator) -> Draws:
    """Draw what the candidates do when asked for a service."""
    n = len(prospect.drive_min)
    on_scene = {"tow": 16.0, "winch": 18.0}.get(service, 11.0)
    return Draws(
        accepts=rng.random(n) < prospect.accept_probability,
        answers=rng.random(n) >= _NO_ANSWER_SHARE,
        response_s=np.clip(np.exp(rng.normal(3.3, 0.5, n)), 5, 90),
        completes=rng.random(n) < prospect.complete_probability,
        mobilise_min=prospect.mobilise_min * np.exp(rng.normal(0, _MOBILISE_NOISE, n)),
        drive_min=prospect.drive_min * np.exp(rng.normal(0, _DRIVE_NOISE, n)),
        on_scene_min=on_scene * np.exp(rng.normal(0, 0.3, n)),
        fails_at_share=rng.uniform(0.2, 1.0, n),
        satisfaction_noise=rng.normal(0, 0.7, n),
        satisfaction_answered=rng.random(n) < SATISFACTION_ANSWER_SHARE,
        satisfaction_delay_min=np.clip(np.exp(rng.normal(4.3, 0.7, n)), 10, 270),
    )


def satisfaction_score(base: float, minutes_late: float, noise: float) -> int:
    """Return the driver's score, 1 to 5."""
    return int(np.clip(round(base - 0.07 * max(0.0, minutes_late) + noise), 1, 5))


def success_probability(
    prospect: Prospects, request: Request, rng: np.random.Generator, draws: int = 64
) -> Floats:
    """Return the true chance of success of each candidate if offered now, float64 [n].

    Success: accepts, completes, and arrives within the promised time of the offer. Accepting and
    completing are exact; only the travel time is averaged over draws.
    """
    n = len(prospect.drive_min)
    response = np.clip(np.exp(rng.normal(3.3, 0.5, (draws, n))), 5, 90) / 60
    mobilise = prospect.mobilise_min * np.exp(rng.normal(0, _MOBILISE_NOISE, (draws, n)))
    drive = prospect.drive_min * np.exp(rng.normal(0, _DRIVE_NOISE, (draws, n)))
    in_time = (response + mobilise + drive <= request.promised_minutes).mean(axis=0)
    chance: Floats = prospect.accept_probability * prospect.complete_probability * in_time
    return chance


def willing_logit(providers: Providers, service: int, drive_min: Floats, who: Ints) -> Floats:
    """Return the logit of accepting: a rested provider, in its usual mood, in dry weather."""
    hidden = providers.hidden
    logit: Floats = 1.7 + 1.2 * hidden.eagerness[who] + hidden.taste[who, service]
    return logit - 0.11 * (drive_min - 12)


def reliable_logit(providers: Providers, service: int, drive_min: Floats, who: Ints) -> Floats:
    """Return the logit of completing an accepted job, in dry weather."""
    hidden = providers.hidden
    logit: Floats = 2.3 + hidden.quality[who] + hidden.skill[who, service]
    return logit - 0.5 * (SERVICES[service] in _HARD_SERVICES) - 0.02 * drive_min


def satisfaction_base(providers: Providers, service: int, who: Ints) -> Floats:
    """Return the mean score of a punctual job, before it is cut to 1 to 5."""
    hidden = providers.hidden
    base: Floats = 4.2 + 0.55 * hidden.quality[who] + 0.2 * hidden.skill[who, service]
    return base


def logistic(logit: Floats) -> Floats:
    """Return the probability of a logit."""
    return np.asarray(1 / (1 + np.exp(-logit)))
