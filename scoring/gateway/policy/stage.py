"""The policy stage as the pipeline calls it: from the candidates' columns to an order."""

import math

import numpy as np
import numpy.typing as npt

from feature_repo.request_time import RequestColumns
from scoring.endpoint.scorer import Scores
from scoring.gateway.candidate_table import CandidateTable
from scoring.gateway.eligible import position_unknown
from scoring.gateway.policy.first_places import TIERS, FirstPlaces
from scoring.gateway.policy.ranking import Ranking, Situation, rank
from scoring.gateway.policy.rules import Policy

_US_PER_S = 1e6
_S_PER_MIN = 60


def apply_policy(  # noqa: PLR0913, PLR0917 - the request, the model's word, the rules, their state
    table: CandidateTable,
    scores: Scores,
    policy: Policy,
    first_places: FirstPlaces,
    now: RequestColumns,
    event_id: str,
) -> Ranking:
    """Order the candidates who may be sent, and remember who stands first.

    Args:
        table: n candidates, at least one.
        scores: Of the same rows.
        policy: The rules.
        first_places: Who stood first lately; takes this decision into account.
        now: The request.
        event_id: Decides what chance decides.
    """
    now_s, window_s = float(now.request_us[0]) / _US_PER_S, policy.window_min * _S_PER_MIN
    tiers = _tiers(table)
    seen = first_places.find(table.provider_ids, tiers, now_s, window_s)
    situation = Situation(
        provider_ids=table.provider_ids,
        scores=scores.scores,
        success_probability=scores.success_probability,
        tiers=tiers,
        position_unknown=position_unknown(table, now, policy.freshness),
        surge_ratio=_surge_ratio(table, now),
        shares=seen.shares,
    )
    ranking = rank(situation, policy, event_id)
    first_places.record(seen, int(ranking.order[0]))
    return ranking


def _tiers(table: CandidateTable) -> npt.NDArray[np.intp]:
    known = np.fmax(table.columns["provider_profile__contract_tier"], 0)  # 0 where it is NaN
    return np.minimum(known, TIERS - 1).astype(np.intp)


def _surge_ratio(table: CandidateTable, now: RequestColumns) -> float:
    """Return the feature ``surge_ratio`` of this request; an unknown demand counts as none."""
    open_requests = float(table.columns["cell_demand__open_requests"][0])
    known = 0.0 if math.isnan(open_requests) else open_requests
    return (known + 1) / (float(now.available_candidates[0]) + 1)
