"""The sixth stage: from scores to an order, by rules that operations can read.

The order is the model's, but for these: candidates whose position is stale stand behind those
whose position is known, spillover tiers stand behind the others while there are enough others,
and a small, logged share of decisions explores.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from feature_repo.model_matrix import stale_rows
from feature_repo.request_time import RequestColumns
from feature_repo.schema import PROVIDER_MOTION
from scoring.gateway.policy_file import Exploration, Policy
from scoring.gateway.read import CandidateTable

POSITION_UNKNOWN = "behind_the_others_position_unknown"
SPILLOVER = "behind_the_others_spillover_tier"
EXPLORED = "first_by_exploration"

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Ranking:
    """The order in which to offer.

    Attributes:
        order: Rows of the candidate table, best first.
        propensity: float64 [n], by row: the chance that this policy puts the row first.
        actions: By row: what the policy did, as codes.
    """

    order: Indices
    propensity: npt.NDArray[np.float64]
    actions: list[list[str]]


def rank(
    table: CandidateTable,
    scores: npt.NDArray[np.float32],
    policy: Policy,
    now: RequestColumns,
    event_id: str,
) -> Ranking:
    """Order the candidates. The same input gives the same order: the draw is the event's own."""
    actions: list[list[str]] = [[] for _ in table.provider_ids]
    penalty = np.zeros(len(scores), dtype=np.intp)
    penalty += 2 * _mark(_position_unknown(table, now), POSITION_UNKNOWN, actions)
    penalty += _mark(_held_back(table, policy), SPILLOVER, actions)
    greedy = np.lexsort((np.arange(len(scores)), -scores, penalty))
    propensity = first_place_propensity(greedy, policy.exploration)
    chosen = _draw(event_id, policy.version, propensity)
    if chosen != greedy[0]:
        actions[chosen].append(EXPLORED)
        greedy = np.concatenate(([chosen], greedy[greedy != chosen]))
    return Ranking(order=greedy, propensity=propensity, actions=actions)


def first_place_propensity(greedy: Indices, exploration: Exploration) -> npt.NDArray[np.float64]:
    """Return each row's chance to stand first; they sum to 1."""
    propensity = np.zeros(len(greedy), dtype=np.float64)
    among = greedy[: exploration.among]
    propensity[among] = exploration.share / len(among)
    propensity[greedy[0]] += 1 - exploration.share
    return propensity


def _position_unknown(table: CandidateTable, now: RequestColumns) -> npt.NDArray[np.bool_]:
    unknown = np.isnan(table.columns["provider_motion__lat"])
    stale = stale_rows(PROVIDER_MOTION, table.columns, now)
    return unknown if stale is None else unknown | stale


def _held_back(table: CandidateTable, policy: Policy) -> npt.NDArray[np.bool_]:
    spillover: npt.NDArray[np.bool_] = (
        table.columns["provider_profile__contract_tier"] >= policy.spillover_tier
    )
    enough_others = np.count_nonzero(~spillover) >= policy.spillover_below
    return spillover if enough_others else np.zeros_like(spillover)


def _mark(mask: npt.NDArray[np.bool_], action: str, actions: list[list[str]]) -> Indices:
    for row in np.flatnonzero(mask):
        actions[row].append(action)
    return mask.astype(np.intp)


def _draw(event_id: str, version: str, propensity: npt.NDArray[np.float64]) -> int:
    """Draw the first place from the propensities, by the event's own number in [0, 1)."""
    digest = hashlib.blake2b(f"{version}|{event_id}".encode(), digest_size=8).digest()
    uniform = int.from_bytes(digest, "little") / 2**64
    row = np.searchsorted(np.cumsum(propensity), uniform * propensity.sum(), side="right")
    return int(min(row, np.flatnonzero(propensity)[-1]))
