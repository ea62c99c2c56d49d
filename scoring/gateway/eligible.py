"""The fourth stage: who may be sent at all. Every exclusion has a code."""

from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from feature_repo.geometry import great_circle_km
from feature_repo.model_matrix import stale_rows
from feature_repo.request_time import RequestColumns
from feature_repo.schema import PROVIDER_AVAILABILITY, ProviderStatus
from scoring.gateway.messages import RecommendationRequest
from scoring.gateway.policy_file import Policy
from scoring.gateway.read import CandidateTable

Mask = npt.NDArray[np.bool_]


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


def exclusions(
    table: CandidateTable, request: RecommendationRequest, policy: Policy, now: RequestColumns
) -> list[Exclusion | None]:
    """Return each candidate's exclusion, None for the ones who may be sent.

    A value that is unknown never counts in a provider's favour: without a profile or a fresh
    availability nobody is sent.
    """
    masks = _masks(table, request, policy, now)
    codes = list(masks)
    matrix = np.vstack([masks[code] for code in codes])
    first = np.argmax(matrix, axis=0)
    return [codes[index] if hit else None for index, hit in zip(first, matrix.any(0), strict=True)]


def _masks(
    table: CandidateTable, request: RecommendationRequest, policy: Policy, now: RequestColumns
) -> dict[Exclusion, Mask]:
    profile = _view(table, "provider_profile")
    availability = _view(table, "provider_availability")
    base_km = great_circle_km(profile["base_lat"], profile["base_lon"], now.lat, now.lon)
    stale = stale_rows(PROVIDER_AVAILABILITY, table.columns, now)
    masks = {
        Exclusion.BLOCKED: np.isin(table.provider_ids, policy.blocked_providers),
        Exclusion.PROFILE_UNKNOWN: np.isnan(profile["radius_km"]),
        Exclusion.SERVICE_NOT_OFFERED: profile[f"can_{request.service}"] != 1,
        Exclusion.VEHICLE_TOO_HEAVY: ~(profile["max_vehicle_class"] >= request.vehicle_class),
        Exclusion.OUTSIDE_CONTRACT_RADIUS: ~(base_km <= profile["radius_km"]),
        Exclusion.AVAILABILITY_UNKNOWN: availability["status"] == b"",
        Exclusion.AVAILABILITY_STALE: np.zeros(len(base_km), np.bool_) if stale is None else stale,
        Exclusion.OFFLINE: availability["status"] == ProviderStatus.OFFLINE.value.encode(),
        Exclusion.NO_FREE_CAPACITY: ~(availability["free_capacity"] >= 1),
        Exclusion.SHIFT_OVER: ~(availability["shift_end"] > now.request_us),
    }
    return {code: np.asarray(mask, dtype=np.bool_) for code, mask in masks.items()}


def _view(table: CandidateTable, view: str) -> dict[str, npt.NDArray[Any]]:
    """Return one view's columns by their short names."""
    prefix = f"{view}__"
    return {
        name.removeprefix(prefix): values
        for name, values in table.columns.items()
        if name.startswith(prefix)
    }
