"""The fourth stage: who may be sent at all. Every exclusion has a code."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from feature_repo.geometry import great_circle_km
from feature_repo.request_time import RequestColumns
from feature_repo.schema import ProviderStatus
from scoring.gateway.candidate_table import CandidateTable
from scoring.gateway.messages import RecommendationRequest
from scoring.gateway.policy.rules import Freshness, Policy

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_US_PER_S = 1e6
_US_PER_MIN = 60e6
_MAY_BE_SENT = -1


class Exclusion(StrEnum):
    """Why a provider may not be sent. The first that holds, in this order, is told."""

    BLOCKED = "blocked"
    PROFILE_UNKNOWN = "profile_unknown"
    SERVICE_NOT_OFFERED = "service_not_offered"
    VEHICLE_TOO_HEAVY = "vehicle_too_heavy"
    OUTSIDE_CONTRACT_RADIUS = "outside_contract_radius"
    AVAILABILITY_UNKNOWN = "availability_unknown"
    AVAILABILITY_STALE = "availability_stale"
    OFFLINE = "offline"
    NO_FREE_CAPACITY = "no_free_capacity"
    SHIFT_OVER = "shift_over"
    POSITION_UNKNOWN = "position_unknown"


_CODES = tuple(Exclusion)
_PLACES = tuple(enumerate(_CODES))
_NAMES = tuple(code.value for code in _CODES)
_EVIDENCE = {
    "provider_motion": ("lat", "lon"),
    "provider_availability": ("status_reported_at", "free_capacity", "shift_end"),
    "provider_profile": ("base_lat", "base_lon", "radius_km", "max_vehicle_class"),
}


@dataclass(frozen=True)
class Evidence:
    """What decides about n candidates, floats [n] each, NaN where unknown.

    They are held as long as the decision: none is a view of a larger array.

    Attributes:
        lat: Latitude of the newest fix, degrees.
        lon: Longitude of the newest fix, degrees.
        base_km: Distance from the base to the driver, km.
        radius_km: How far from the base the contract reaches, km.
        max_vehicle_class: The heaviest class served.
        status_age_s: How long ago the provider told its state, seconds.
        free_trucks: Trucks free.
        shift_left_min: Minutes until the shift ends.
    """

    lat: Floats
    lon: Floats
    base_km: Floats
    radius_km: Floats
    max_vehicle_class: Floats
    status_age_s: Floats
    free_trucks: Floats
    shift_left_min: Floats

    def driver_km(self, lat: float, lon: float) -> Floats:
        """Return the distances from the newest fixes to the driver, float64 [n] km."""
        return great_circle_km(self.lat, self.lon, np.array(lat), np.array(lon))


@dataclass(frozen=True)
class Exclusions:
    """Who may not be sent, and why.

    Attributes:
        codes: int8 [n]: the place of the candidate's code in ``Exclusion``; -1 may be sent.
        evidence: What it was decided by.
    """

    codes: npt.NDArray[np.int8]
    evidence: Evidence

    @property
    def eligible(self) -> Mask:
        """Who may be sent, bool [n]."""
        mask: Mask = self.codes == _MAY_BE_SENT
        return mask

    def __getitem__(self, row: int) -> Exclusion | None:
        """Return a candidate's code, None if it may be sent."""
        code = int(self.codes[row])
        return None if code == _MAY_BE_SENT else _CODES[code]

    def names(self, rows: list[int]) -> list[str]:
        """Return the codes of candidates who may not be sent."""
        return [_NAMES[code] for code in self.codes.take(rows).tolist()]

    def counts(self) -> dict[str, int]:
        """Return how many candidates each code excludes, the most frequent first."""
        counts = np.bincount(self.codes[~self.eligible], minlength=len(_CODES))
        found = {code.value: int(count) for code, count in zip(_CODES, counts, strict=True)}
        return {code: count for code, count in Counter(found).most_common() if count}


def exclusions(
    table: CandidateTable,
    request: RecommendationRequest,
    policy: Policy,
    now: RequestColumns,
    *,
    profile_only: bool = False,
) -> Exclusions:
    """Return which candidates may not be sent.

    A value that is unknown never counts in a provider's favour: without a profile or a fresh
    availability nobody is sent. Only with ``profile_only``, for when availabilities cannot be had,
    an availability that is unknown or old excludes nobody; what it said last still does.
    """
    evidence = _evidence(table, now)
    masks = _masks(table, evidence, request, policy)
    if profile_only:
        masks |= _known_unavailable(masks, evidence)
    if policy.freshness.position_unknown == "exclude":
        masks[Exclusion.POSITION_UNKNOWN] = position_unknown(table, now, policy.freshness)
    codes = np.full(len(table.provider_ids), _MAY_BE_SENT, dtype=np.int8)
    for place, code in reversed(_PLACES):  # the first that holds is written last
        if code in masks:
            codes[masks[code]] = place
    return Exclusions(codes, evidence)


def position_unknown(table: CandidateTable, now: RequestColumns, rule: Freshness) -> Mask:
    """Return whose position is unknown, or older than the policy allows, bool [n]."""
    age_us = now.request_us - table.columns["provider_motion__motion_observed_at"]
    unknown: Mask = np.isnan(table.columns["provider_motion__lat"]) | ~(
        age_us <= rule.position_max_age_s * _US_PER_S
    )
    return unknown


def _evidence(table: CandidateTable, now: RequestColumns) -> Evidence:
    motion, availability, profile = (
        {name: table.columns[f"{view}__{name}"] for name in names}
        for view, names in _EVIDENCE.items()
    )
    return Evidence(
        lat=motion["lat"].copy(),
        lon=motion["lon"].copy(),
        base_km=great_circle_km(profile["base_lat"], profile["base_lon"], now.lat, now.lon),
        radius_km=profile["radius_km"].copy(),
        max_vehicle_class=profile["max_vehicle_class"].copy(),
        status_age_s=(now.request_us - availability["status_reported_at"]) / _US_PER_S,
        free_trucks=availability["free_capacity"].copy(),
        shift_left_min=(availability["shift_end"] - now.request_us) / _US_PER_MIN,
    )


def _masks(
    table: CandidateTable, seen: Evidence, request: RecommendationRequest, policy: Policy
) -> dict[Exclusion, Mask]:
    """Return who each code applies to."""
    status = table.columns["provider_availability__status"]
    offered = table.columns[f"provider_profile__can_{request.service}"]
    capacity = policy.capacity
    return {
        Exclusion.BLOCKED: _blocked(table, policy),
        Exclusion.PROFILE_UNKNOWN: np.isnan(seen.radius_km),
        Exclusion.SERVICE_NOT_OFFERED: offered != 1,
        Exclusion.VEHICLE_TOO_HEAVY: ~(seen.max_vehicle_class >= request.vehicle_class),
        Exclusion.OUTSIDE_CONTRACT_RADIUS: ~(seen.base_km <= seen.radius_km),
        Exclusion.AVAILABILITY_UNKNOWN: status == b"",
        Exclusion.AVAILABILITY_STALE: ~(
            seen.status_age_s <= policy.freshness.availability_max_age_s
        ),
        Exclusion.OFFLINE: status == ProviderStatus.OFFLINE.value.encode(),
        Exclusion.NO_FREE_CAPACITY: ~(seen.free_trucks >= capacity.free_trucks),
        Exclusion.SHIFT_OVER: ~(seen.shift_left_min > capacity.shift_minutes_left),
    }


def _known_unavailable(masks: dict[Exclusion, Mask], seen: Evidence) -> dict[Exclusion, Mask]:
    nobody = np.zeros(len(seen.free_trucks), dtype=np.bool_)
    return {
        Exclusion.AVAILABILITY_UNKNOWN: nobody,
        Exclusion.AVAILABILITY_STALE: nobody,
        Exclusion.NO_FREE_CAPACITY: masks[Exclusion.NO_FREE_CAPACITY] & ~np.isnan(seen.free_trucks),
        Exclusion.SHIFT_OVER: masks[Exclusion.SHIFT_OVER] & ~np.isnan(seen.shift_left_min),
    }


def _blocked(table: CandidateTable, policy: Policy) -> Mask:
    if not policy.blocklist:
        return np.zeros(len(table.provider_ids), dtype=np.bool_)
    return np.fromiter(map(policy.blocklist.__contains__, table.provider_ids), np.bool_)
