"""How a feature reads to an operator: groups of features, and a sentence for each that has one."""

from collections.abc import Callable, Mapping
from enum import StrEnum

Values = Mapping[str, float]
"""Model features of one candidate by full name; absent where unknown."""


class Group(StrEnum):
    """What a feature is about."""

    PROXIMITY = "proximity"
    RECORD = "record"
    WORKLOAD = "workload"
    CONTRACT = "contract"
    CONDITIONS = "conditions"
    REQUEST = "request"


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


def _days(name: str) -> str:
    return f"{name.rsplit('_', 1)[1].removesuffix('d')} days"


def _share(text: str) -> Callable[[str, Values], str]:
    return lambda name, values: f"{text.format(share=values[name])} ({_days(name)})"


def _eta_error(name: str, values: Values) -> str:
    late = values[name]
    how = f"{late:.0f} min after" if late >= 0.5 else f"{-late:.0f} min before"
    return (
        f"arrives on average {'at' if abs(late) < 0.5 else how} the promised time ({_days(name)})"
    )


def _offers(name: str, values: Values) -> str:
    window = "30 min" if name.endswith("30m") else "hour"
    suffix = name.rsplit("_", 1)[1]
    offers = values.get(f"provider_availability__offers_{suffix}", 0)
    declines = values.get(f"provider_availability__declines_{suffix}", 0)
    if not offers:
        return f"no offer in the last {window}"
    return f"declined {declines:.0f} of {offers:.0f} offers in the last {window}"


def _free(name: str, values: Values) -> str:
    trucks = values[name]
    return "1 truck free" if trucks == 1 else f"{trucks:.0f} trucks free"


def _jobs(name: str, values: Values) -> str:
    jobs = values[name]
    return "no job in hand" if jobs == 0 else f"{jobs:.0f} in hand already"


def _heading(name: str, values: Values) -> str:
    moving = values.get("provider_motion__speed_mean_kph", 0) > 5
    if not moving:
        return "standing still"
    return "already heading this way" if values[name] < 60 else "heading another way"


def _available(name: str, values: Values) -> str:
    return "available now" if values[name] == 1 else "still on another job"


_HISTORY: dict[str, Callable[[str, Values], str]] = {
    "acceptance_rate": _share("accepts {share:.0%} of offers for this service"),
    "completion_rate": _share("completes {share:.0%} of jobs taken"),
    "cancel_rate": _share("cancels {share:.0%} of jobs taken"),
    "satisfaction": _share("rated {share:.1f} of 5 by drivers"),
    "jobs": _share("took {share:.0f} jobs of this service"),
    "eta_error_mean_min": _eta_error,
    "eta_error_p90_min": lambda name, values: (
        f"nine in ten arrivals within {max(values[name], 0):.0f} min of the promise ({_days(name)})"
    ),
}

SENTENCES: dict[str, Callable[[str, Values], str]] = {
    **{
        f"provider_history__{metric}_{days}d": sentence
        for metric, sentence in _HISTORY.items()
        for days in (7, 30, 90)
    },
    **{
        f"provider_availability__{kind}_{window}": _offers
        for kind in ("offers", "accepts", "declines")
        for window in ("30m", "1h")
    },
    "provider_availability__free_capacity": _free,
    "provider_availability__active_jobs": _jobs,
    "provider_profile__contract_tier": lambda n, v: f"contract tier {v[n]:.0f}",
    "provider_profile__cost_per_job_usd": lambda n, v: f"costs ${v[n]:.0f} a job",
    "request_time__bearing_off_heading_deg": _heading,
    "request_time__is_available": _available,
    "request_time__minutes_in_status": lambda n, v: f"in this status for {v[n]:.0f} min",
    "request_time__minutes_to_shift_end": lambda n, v: f"shift ends in {v[n] / 60:.1f} h",
    "request_time__base_distance_km": lambda n, v: f"base is {v[n]:.1f} km from the driver",
}
