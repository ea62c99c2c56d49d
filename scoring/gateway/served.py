"""A decision as it was served, in arrays: objects of its candidates are made when asked for."""

import math
from collections.abc import Container
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import numpy as np
import numpy.typing as npt

from feature_repo.model_matrix import MODEL_FEATURES
from scoring.gateway import explain
from scoring.gateway.answers import encode, error_body
from scoring.gateway.code_words import WORDS
from scoring.gateway.eligible import Exclusions
from scoring.gateway.errors import NoCandidateError
from scoring.gateway.explain import GROUPS, Scored
from scoring.gateway.messages import (
    Candidate,
    Decision,
    Recommendation,
    RecommendationAnswer,
    RecommendationRequest,
)
from scoring.gateway.replies import Reply

_FEATURE_NAMES = list(MODEL_FEATURES)
_GROUP_NAMES = [group.value for group in GROUPS]


@dataclass(frozen=True)
class Served:
    """One decision.

    Attributes:
        request: What was asked.
        answer: What was answered; without a recommendation where it was refused.
        provider_ids: The candidates, n of them.
        excluded: Which of them could not be sent.
        scored: The others, m of them, in the same order; None where there are none.
        refused: What was answered instead where nobody could be sent.
        everybody: What the model would see of all n candidates, float32 [n, f]; None but on the
            share of decisions whose features are logged in full.
    """

    request: RecommendationRequest
    answer: RecommendationAnswer
    provider_ids: list[str]
    excluded: Exclusions
    scored: Scored | None
    refused: NoCandidateError | None
    everybody: npt.NDArray[np.float32] | None = None

    def decision(self) -> Decision:
        """Return it in full, one object a candidate: the ranked ones first, then the excluded."""
        ranked = [] if self.scored is None else _ranked(self.scored)
        candidates = ranked + self._excluded()
        codes = {code for c in candidates for code in (c.excluded, *c.policy_actions) if code}
        features = self.features()
        return Decision(
            request=self.request,
            answer=self.answer,
            refusal=None if self.refused is None else error_body(self.refused),
            candidates=candidates,
            words={code: WORDS[code] for code in sorted(codes)},
            feature_names=_FEATURE_NAMES,
            features=features,
            other_features=self.other_features(features),
        )

    def reply(self) -> Reply:
        """Return what was answered, as bytes."""
        if self.refused is not None:
            return Reply(int(self.refused.status), encode(error_body(self.refused)))
        return Reply(int(HTTPStatus.OK), encode(self.answer))

    def left_out(self) -> tuple[list[int], list[float | None]]:
        """Return the rows of those who could not be sent, and their distances, km."""
        rows = np.flatnonzero(~self.excluded.eligible)
        location = self.request.location
        distances = self.excluded.evidence.driver_km(location.lat, location.lon)
        return rows.tolist(), known_km(distances[rows])

    def features(self) -> dict[str, list[float | None]]:
        """Return what the model saw of the providers shown."""
        if self.scored is None:
            return {}
        return {
            self.scored.provider_ids[row]: _values(self.scored.matrix[row])
            for row in self.scored.ranking.order[: self.request.top_k].tolist()
        }

    def other_features(self, shown: Container[str]) -> dict[str, list[float | None]]:
        """Return the same of all others, where the decision is one whose features are all kept."""
        if self.everybody is None:
            return {}
        return {
            provider_id: _values(row)
            for provider_id, row in zip(self.provider_ids, self.everybody, strict=True)
            if provider_id not in shown
        }

    def _excluded(self) -> list[Candidate]:
        return [
            Candidate(self.provider_ids[row], km, self.excluded[row])
            for row, km in zip(*self.left_out(), strict=True)
        ]


def _values(row: npt.NDArray[np.float32]) -> list[float | None]:
    return [None if math.isnan(value) else value for value in row.tolist()]


def recommendations(scored: Scored, top_k: int) -> list[Recommendation]:
    """Return the first of the ranking, with what an operator needs to know of each."""
    shown = scored.ranking.order[:top_k]
    soonest = explain.soonest_others(scored, shown)
    return [
        _recommendation(scored, row, rank, others_min)
        for rank, (row, others_min) in enumerate(zip(shown.tolist(), soonest, strict=True), start=1)
    ]


def _recommendation(scored: Scored, row: int, rank: int, others_min: float) -> Recommendation:
    scores, ranking, known = scored.scores, scored.ranking, scored.known(row)
    freshest, stalest = explain.feature_ages(known)
    distance_km = float(scored.distances_km[row])
    return Recommendation(
        rank=rank,
        provider_id=scored.provider_ids[row],
        minutes_away=round(float(scores.eta_p50_min[row]), 1),
        minutes_away_p90=round(float(scores.eta_p90_min[row]), 1),
        success_probability=round(float(scores.success_probability[row]), 4),
        distance_km=None if math.isnan(distance_km) else round(distance_km, 2),
        score=float(scores.scores[row]),
        propensity=float(ranking.propensity[row]),
        reasons=explain.reasons(scored, row, known, others_min),
        contributions=_contributions(scored, row),
        freshest=freshest,
        stalest=stalest,
        policy_actions=ranking.actions[row],
    )


def _contributions(scored: Scored, row: int) -> dict[str, float]:
    by_group = scored.by_group(row)
    if by_group is None:
        return {}
    return {name: round(added, 4) for name, added in zip(_GROUP_NAMES, by_group, strict=True)}


def _ranked(scored: Scored) -> list[Candidate]:
    """Return the ranked candidates, column by column."""
    scores, ranking = scored.scores, scored.ranking
    order = ranking.order
    columns = zip(
        [scored.provider_ids[row] for row in order.tolist()],
        known_km(scored.distances_km[order]),
        scores.scores[order].tolist(),
        rounded(scores.eta_p50_min[order], 1),
        scores.success_probability[order].tolist(),
        ranking.propensity[order].tolist(),
        ranking.actions.of(order),
        strict=True,
    )
    return [
        Candidate(provider_id, km, None, rank, score, minutes, chance, propensity, actions)
        for rank, (provider_id, km, score, minutes, chance, propensity, actions) in enumerate(
            columns, start=1
        )
    ]


def rounded(values: npt.NDArray[np.floating[Any]], digits: int) -> list[float]:
    """Return values with so many digits after the point."""
    told: list[float] = np.round(values.astype(np.float64), digits).tolist()
    return told


def known_km(distances: npt.NDArray[np.floating[Any]]) -> list[float | None]:
    """Return distances as they are told; None where unknown."""
    return [None if math.isnan(km) else km for km in rounded(distances, 2)]
