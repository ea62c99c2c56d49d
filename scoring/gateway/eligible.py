"""The fourth stage: who may be sent at all. Every exclusion has a code."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from feature_repo.geometry import great_circle_km
from feature_repo.request_time import RequestColumns
from feature_repo.schema import ProviderStatus
from scoring.gateway.messages import RecommendationRequest
from scoring.gateway.policy.rules import Freshness, Policy
from scoring.gateway.read import CandidateTable

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


@dataclass(frozen=True)
class Exclusions:
    """Who may not be sent, and why.

    Attributes:
        codes: int8 [n]: the place of the candidate's code in ``Exclusion``; -1 may be sent.
    """

    codes: npt.NDArray[np.int8]

    @property
    def eligible(self) -> Mask:
        """Bool [n]: who may be sent."""
        mask: Mask = self.codes == _MAY_BE_SENT
        return mask

    def __getitem__(self, row: int) -> Exclusion | None:
        """Return a candidate's code, None if it may be sent."""
        code = int(self.codes[row])
        return None if code == _MAY_BE_SENT else _CODES[code]

    def counts(self) -> dict[str, int]:
        """Return how many candidates each code excludes, the most frequent first."""
        counts = np.bincount(self.codes[~self.eligible], minlength=len(_CODES))
        found = {code.value: int(count) for code, count in zip(_CODES, counts, strict=True)}
        return {code: count for code, count in Counter(found).most_common() if count}


def exclusions(
    table: CandidateTable, request: RecommendationRequest, policy: Policy, now: RequestColumns
) -> Exclusions:
    """Return which candidates may not be sent.

    A value that is unknown never counts in a provider's favour: without a profile or a fresh
    availability nobody is sent.
    """
    masks = _masks(table, request, policy, now)
    codes = np.select(
        list(masks.values()), [np.int8(_CODES.index(code)) for code in masks], np.int8(_MAY_BE_SENT)
    )
    return Exclusions(codes.astype(np.int8, copy=False))


def position_unknown(table: CandidateTable, now: RequestColumns, rule: Freshness) -> Mask:
    """Return whose position is unknown, or older than the policy allows, bool [n]."""
    columns = table.columns
    unknown: Mask = np.isnan(columns["provider_motion__lat"]) | ~_is_fresh(
        now, columns["provider_motion__motion_observed_at"], rule.position_max_age_s
    )
    return unknown


def _masks(
    table: CandidateTable, request: RecommendationRequest, policy: Policy, now: RequestColumns
) -> dict[Exclusion, Mask]:
    """Return who each code applies to, in the order of ``Exclusion``."""
    c = table.columns
    radius_km = c["provider_profile__radius_km"]
    base_km = great_circle_km(
        c["provider_profile__base_lat"], c["provider_profile__base_lon"], now.lat, now.lon
    )
    status = c["provider_availability__status"]
    shift_left_us = c["provider_availability__shift_end"] - now.request_us
    masks = {
        Exclusion.BLOCKED: _blocked(table, policy),
        Exclusion.PROFILE_UNKNOWN: np.isnan(radius_km),
        Exclusion.SERVICE_NOT_OFFERED: c[f"provider_profile__can_{request.service}"] != 1,
        Exclusion.VEHICLE_TOO_HEAVY: ~(
            c["provider_profile__max_vehicle_class"] >= request.vehicle_class
        ),
        Exclusion.OUTSIDE_CONTRACT_RADIUS: ~(base_km <= radius_km),
        Exclusion.AVAILABILITY_UNKNOWN: status == b"",
        Exclusion.AVAILABILITY_STALE: ~_is_fresh(
            now,
            c["provider_availability__status_reported_at"],
            policy.freshness.availability_max_age_s,
        ),
        Exclusion.OFFLINE: status == ProviderStatus.OFFLINE.value.encode(),
        Exclusion.NO_FREE_CAPACITY: ~(
            c["provider_availability__free_capacity"] >= policy.capacity.free_trucks
        ),
        Exclusion.SHIFT_OVER: ~(shift_left_us > policy.capacity.shift_minutes_left * _US_PER_MIN),
    }
    if policy.freshness.position_unknown == "exclude":
        masks[Exclusion.POSITION_UNKNOWN] = position_unknown(table, now, policy.freshness)
    return masks


def _blocked(table: CandidateTable, policy: Policy) -> Mask:
    if not policy.blocklist:
        return np.zeros(len(table.provider_ids), dtype=np.bool_)
    blocked = policy.blocklist.keys()
    return np.fromiter(map(blocked.__contains__, table.provider_ids), np.bool_)


def _is_fresh(now: RequestColumns, observed_us: npt.NDArray[np.float64], max_age_s: float) -> Mask:
    """Return whose value is known and not older than allowed, bool [n]."""
    fresh: Mask = now.request_us - observed_us <= max_age_s * _US_PER_S
    return fresh
