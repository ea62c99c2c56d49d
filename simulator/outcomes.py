"""The generating model of outcomes: hidden traits, the true roads and weather, and noise.

Nothing here reads a computed feature, a stream or a table. Everything is a pure function of the
state and of draws keyed by request and provider (``luck.py``), so that what *would* have become of
any candidate can be asked as well as what did (``fate.py``).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from scipy.stats.qmc import Sobol

from simulator.fields import Fields, route_cells
from simulator.geography import plane_km
from simulator.luck import Floats, Ints
from simulator.providers import SERVICES, Bools, Providers

ROAD_DETOUR = 1.37
"""True road over straight-line distance."""
_DRIVE_NOISE = 0.16
_MOBILISE_NOISE = 0.35
_NO_ANSWER_SHARE = 0.12
"""Share of the unwilling who do not even decline."""
SATISFACTION_ANSWER_SHARE = 0.75
_HARD_SERVICES = frozenset({"tow", "winch"})
DRAWS_EACH = 11
"""Uniforms that ``draw`` needs for a candidate."""
_ANSWER_LOG_S = (3.3, 0.5)
_TRAVEL_POINTS = 128


def _travel_factors() -> tuple[Floats, Floats, Floats]:
    """Return answer (minutes), mobilising and driving (factors) at equal points, [128, 1] each.

    The points are Sobol's (1967), each in the middle of its cell, which fill the cube evenly: the
    chance of being in time is then no draw, and costs a tenth.
    """
    points = Sobol(3, scramble=False).random(_TRAVEL_POINTS) + 0.5 / _TRAVEL_POINTS
    answer, mobilise, drive = ndtri(points).T[:, :, None]
    return (
        _answer_s(answer) / 60,
        np.exp(_MOBILISE_NOISE * mobilise),
        np.exp(_DRIVE_NOISE * drive),
    )


def _answer_s(normal: Floats) -> Floats:
    mean, spread = _ANSWER_LOG_S
    seconds: Floats = np.minimum(np.maximum(np.exp(mean + spread * normal), 5), 90)
    return seconds


_TRAVEL_FACTORS = _travel_factors()


@dataclass(frozen=True)
class Request:
    """A driver asks for help: epoch seconds, degrees, minutes."""

    number: int
    event_id: str
    time_s: float
    lat: float
    lon: float
    cell: str
    metro: str
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
    precip = _mean(now.precip_mm_h[route])
    snow = _mean(now.snow_cm[route])
    drive_km = plane_km(state.lat, state.lon, request.lat, request.lon) * ROAD_DETOUR
    kph = _mean(fields.free_flow_kph[route] * now.speed_ratio[route]) * hidden.pace[who]
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


def _mean(along_route: Floats) -> Floats:
    """Return the mean of each row; quicker than numpy's for a few columns."""
    mean: Floats = along_route.sum(axis=1) / along_route.shape[1]
    return mean


def draw(prospect: Prospects, service: str, uniform: Floats) -> Draws:
    """Draw what the candidates do when asked for a service.

    Args:
        prospect: What they would usually do.
        service: One of ``SERVICES``.
        uniform: Draws from the open interval 0 to 1, float64 [DRAWS_EACH, n].
    """
    on_scene = {"tow": 16.0, "winch": 18.0}.get(service, 11.0)
    normal = ndtri(uniform[5:])
    return Draws(
        accepts=uniform[0] < prospect.accept_probability,
        answers=uniform[1] >= _NO_ANSWER_SHARE,
        completes=uniform[2] < prospect.complete_probability,
        fails_at_share=0.2 + 0.8 * uniform[3],
        satisfaction_answered=uniform[4] < SATISFACTION_ANSWER_SHARE,
        response_s=_answer_s(normal[0]),
        mobilise_min=prospect.mobilise_min * np.exp(_MOBILISE_NOISE * normal[1]),
        drive_min=prospect.drive_min * np.exp(_DRIVE_NOISE * normal[2]),
        on_scene_min=on_scene * np.exp(0.3 * normal[3]),
        satisfaction_noise=0.7 * normal[4],
        satisfaction_delay_min=np.minimum(np.maximum(np.exp(4.3 + 0.7 * normal[5]), 10), 270),
    )


def satisfaction_score(base: float, minutes_late: float, noise: float) -> int:
    """Return the driver's score, 1 to 5."""
    return min(max(round(base - 0.07 * max(0.0, minutes_late) + noise), 1), 5)


def success_probability(prospect: Prospects, request: Request) -> Floats:
    """Return the true chance of success of each candidate if offered now, float64 [n].

    Success: accepts, completes, and arrives within the promised time of the offer. Accepting and
    completing are exact; the travel time is averaged over 128 points.
    """
    answer, mobilise, drive = _TRAVEL_FACTORS
    minutes = answer + mobilise * prospect.mobilise_min + drive * prospect.drive_min
    in_time = (minutes <= request.promised_minutes).sum(axis=0) / _TRAVEL_POINTS
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
