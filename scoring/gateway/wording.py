"""How a feature reads to an operator: groups of features, and a sentence for each that has one.

A sentence says what its values say and no more: where a value that it would need is not known, or
two values contradict each other, it is not said.
"""

import math
from collections.abc import Callable, Sequence
from enum import StrEnum

from feature_repo.model_matrix import MODEL_FEATURES
from feature_repo.schema import HISTORY_DAYS

MOVING_KPH = 5.0
TOWARDS_DEG = 60.0
"""Within so many degrees of the driver's direction a truck heads this way."""

_INDEX = {name: index for index, name in enumerate(MODEL_FEATURES)}


class Group(StrEnum):
    """What a feature is about."""

    PROXIMITY = "proximity"
    RECORD = "record"
    WORKLOAD = "workload"
    CONTRACT = "contract"
    CONDITIONS = "conditions"
    REQUEST = "request"


SAME_FOR_ALL = frozenset({Group.CONDITIONS, Group.REQUEST})
"""Groups of features that are the same for all candidates of a request. What they add to a score
can differ all the same, by how they act together with the others, but nobody is better by them."""


class Known:
    """What is known of one candidate: its row of the model matrix."""

    def __init__(self, row: Sequence[float]) -> None:
        self._row = row

    def get(self, name: str) -> float | None:
        """Return a model feature's value; None where it is unknown."""
        value = self._row[_INDEX[name]]
        return None if math.isnan(value) else value


Sentence = Callable[[Known], str | None]
"""Words what is known about one feature; None where that cannot be said."""

_VIEW_GROUPS = {
    "provider_motion": Group.PROXIMITY,
    "provider_availability": Group.WORKLOAD,
    "cell_conditions": Group.CONDITIONS,
    "cell_demand": Group.CONDITIONS,
    "provider_history": Group.RECORD,
    "provider_profile": Group.CONTRACT,
}
_REQUEST_TIME_GROUPS = {
    "driver_distance_km": Group.PROXIMITY,
    "base_distance_km": Group.PROXIMITY,
    "bearing_off_heading_deg": Group.PROXIMITY,
    "eta_min": Group.PROXIMITY,
    "eta_margin_min": Group.PROXIMITY,
    "motion_age_s": Group.PROXIMITY,
    "is_available": Group.WORKLOAD,
    "minutes_in_status": Group.WORKLOAD,
    "minutes_to_shift_end": Group.WORKLOAD,
    "availability_age_s": Group.WORKLOAD,
}


def group_of(name: str) -> Group:
    """Return the group of a model feature."""
    view, feature = name.split("__", 1)
    if view == "request_time":
        return _REQUEST_TIME_GROUPS.get(feature, Group.REQUEST)
    return _VIEW_GROUPS[view]


def _of(name: str, say: Callable[[float], str]) -> Sentence:
    """Return a sentence about one value."""

    def sentence(known: Known) -> str | None:
        value = known.get(name)
        return None if value is None else say(value)

    return sentence


def _answers(kind: str, verb: str, window: str) -> Sentence:
    """Return a sentence such as "declined 3 of 4 offers in the last hour"."""
    suffix = {"30 min": "30m", "hour": "1h"}[window]

    def sentence(known: Known) -> str | None:
        offers = known.get(f"provider_availability__offers_{suffix}")
        answers = known.get(f"provider_availability__{kind}_{suffix}")
        # An answer to an offer from before the window counts, its offer does not.
        if offers is None or answers is None or answers > offers:
            return None
        if offers == 0:
            return f"no offer in the last {window}"
        return f"{verb} {answers:.0f} of {_counted(offers, 'offer')} in the last {window}"

    return sentence


def _offers(window: str) -> Sentence:
    suffix = {"30 min": "30m", "hour": "1h"}[window]
    return _of(
        f"provider_availability__offers_{suffix}",
        lambda offers: f"{_counted(offers, 'offer')} in the last {window}",
    )


def _eta_error(late_min: float) -> str:
    if round(abs(late_min)) == 0:
        return "arrives on average at the promised time"
    how = "after" if late_min > 0 else "before"
    return f"arrives on average {abs(late_min):.0f} min {how} the promised time"


def _eta_error_p90(late_min: float) -> str:
    if round(late_min) <= 0:
        return "nine in ten arrivals are not late"
    return f"nine in ten arrivals are at most {late_min:.0f} min late"


def _heading(known: Known) -> str | None:
    speed, off = (
        known.get("provider_motion__speed_mean_kph"),
        known.get("request_time__bearing_off_heading_deg"),
    )
    if speed is None:
        return None
    if speed <= MOVING_KPH:
        return "standing still"
    if off is None:
        return None
    return "already heading this way" if off < TOWARDS_DEG else "heading another way"


def _counted(count: float, noun: str) -> str:
    if count == 0:
        return f"no {noun}"
    return f"{count:.0f} {noun}{'' if count == 1 else 's'}"


_HISTORY: dict[str, Callable[[float], str]] = {
    "acceptance_rate": lambda share: f"accepts {share:.0%} of offers for this service",
    "completion_rate": lambda share: f"completes {share:.0%} of jobs taken",
    "cancel_rate": lambda share: f"cancels {share:.0%} of jobs taken",
    "satisfaction": lambda mean: f"rated {mean:.1f} of 5 by drivers",
    "jobs": lambda jobs: f"took {_counted(jobs, 'job')} of this service",
    "eta_error_mean_min": _eta_error,
    "eta_error_p90_min": _eta_error_p90,
}


def _over_days(say: Callable[[float], str], days: int) -> Callable[[float], str]:
    return lambda value: f"{say(value)} ({days} days)"


def _history() -> dict[str, Sentence]:
    return {
        name: _of(name, _over_days(say, days))
        for metric, say in _HISTORY.items()
        for days in HISTORY_DAYS
        for name in (f"provider_history__{metric}_{days}d",)
    }


def _workload() -> dict[str, Sentence]:
    answers = {
        f"provider_availability__{kind}_{suffix}": _answers(kind, verb, window)
        for kind, verb in (("accepts", "accepted"), ("declines", "declined"))
        for suffix, window in (("30m", "30 min"), ("1h", "hour"))
    }
    offers = {
        f"provider_availability__offers_{suffix}": _offers(window)
        for suffix, window in (("30m", "30 min"), ("1h", "hour"))
    }
    return {**answers, **offers}


def _single() -> dict[str, Sentence]:
    said: dict[str, Callable[[float], str]] = {
        "provider_availability__free_capacity": lambda n: f"{_counted(n, 'truck')} free",
        "provider_availability__active_jobs": lambda n: f"{_counted(n, 'job')} in hand",
        "provider_profile__contract_tier": lambda n: f"contract tier {n:.0f}",
        "provider_profile__cost_per_job_usd": lambda usd: f"costs ${usd:.0f} a job",
        "provider_profile__radius_km": lambda km: f"contract reaches {km:.0f} km from its base",
        "request_time__is_available": lambda is_: (
            "available now" if is_ == 1 else "still on another job"
        ),
        "request_time__minutes_in_status": lambda m: f"in this status for {m:.0f} min",
        "request_time__minutes_to_shift_end": lambda m: f"shift ends in {m / 60:.1f} h",
        "request_time__base_distance_km": lambda km: f"base is {km:.1f} km from the driver",
    }
    return {name: _of(name, say) for name, say in said.items()}


SENTENCES: dict[str, Sentence] = {
    **_history(),
    **_workload(),
    **_single(),
    "request_time__bearing_off_heading_deg": _heading,
}
"""Model features to their sentences, for those that have one."""
