"""A decision as it was served, in arrays: objects of its candidates are made when asked for."""

from dataclasses import dataclass
from http import HTTPStatus

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
    """

    request: RecommendationRequest
    answer: RecommendationAnswer
    provider_ids: list[str]
    excluded: Exclusions
    scored: Scored | None
    refused: NoCandidateError | None

    def decision(self) -> Decision:
        """Return it in full, one object a candidate: the ranked ones first, then the excluded."""
        ranked = [] if self.scored is None else _ranked(self.scored)
        candidates = ranked + self._left_out()
        codes = {code for c in candidates for code in (c.excluded, *c.policy_actions) if code}
        return Decision(
            request=self.request,
            answer=self.answer,
            refusal=None if self.refused is None else error_body(self.refused),
            candidates=candidates,
            words={code: WORDS[code] for code in sorted(codes)},
            feature_names=_FEATURE_NAMES,
            features=self._features(),
        )

    def reply(self) -> Reply:
        """Return what was answered, as bytes."""
        if self.refused is not None:
            return Reply(int(self.refused.status), encode(error_body(self.refused)))
        return Reply(int(HTTPStatus.OK), encode(self.answer))

    def _left_out(self) -> list[Candidate]:
        rows = np.flatnonzero(~self.excluded.eligible)
        return [
            Candidate(
                provider_id=self.provider_ids[row],
                distance_km=_known(self.excluded.evidence.driver_km[row]),
                excluded=self.excluded[row],
            )
            for row in rows.tolist()
        ]

    def _features(self) -> dict[str, list[float | None]]:
        """Return what the model saw of the providers shown."""
        if self.scored is None:
            return {}
        return {
            self.scored.provider_ids[row]: [
                None if value != value else value  # noqa: PLR0124 - NaN is unlike itself
                for value in self.scored.matrix[row].tolist()
            ]
            for row in self.scored.ranking.order[: self.request.top_k].tolist()
        }


def recommendations(scored: Scored, top_k: int) -> list[Recommendation]:
    """Return the first of the ranking, with what an operator needs to know of each."""
    shown = scored.ranking.order[:top_k]
    return [
        _recommendation(scored, row, shown, rank)
        for rank, row in enumerate(shown.tolist(), start=1)
    ]


def _recommendation(
    scored: Scored, row: int, shown: npt.NDArray[np.intp], rank: int
) -> Recommendation:
    scores, ranking = scored.scores, scored.ranking
    freshest, stalest = explain.feature_ages(scored.known(row))
    return Recommendation(
        rank=rank,
        provider_id=scored.provider_ids[row],
        minutes_away=round(float(scores.eta_p50_min[row]), 1),
        minutes_away_p90=round(float(scores.eta_p90_min[row]), 1),
        success_probability=round(float(scores.success_probability[row]), 4),
        distance_km=_known(scored.distances_km[row]),
        score=float(scores.scores[row]),
        propensity=float(ranking.propensity[row]),
        reasons=explain.reasons(scored, row, shown),
        contributions=_contributions(scored, row),
        freshest=freshest,
        stalest=stalest,
        policy_actions=ranking.actions[row],
    )


def _contributions(scored: Scored, row: int) -> dict[str, float]:
    by_group = scored.by_group(row)
    if by_group is None:
        return {}
    return {
        group.value: round(added, 4) for group, added in zip(GROUPS, by_group.tolist(), strict=True)
    }


def _ranked(scored: Scored) -> list[Candidate]:
    scores, ranking = scored.scores, scored.ranking
    return [
        Candidate(
            provider_id=scored.provider_ids[row],
            distance_km=_known(scored.distances_km[row]),
            rank=rank,
            score=float(scores.scores[row]),
            minutes_away=round(float(scores.eta_p50_min[row]), 1),
            success_probability=float(scores.success_probability[row]),
            propensity=float(ranking.propensity[row]),
            policy_actions=ranking.actions[row],
        )
        for rank, row in enumerate(ranking.order.tolist(), start=1)
    ]


def _known(distance_km: float) -> float | None:
    return None if np.isnan(distance_km) else round(float(distance_km), 2)
