"""The stages of one decision, composed: retrieve, read, eligible, score, policy, explain."""

import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
from redis import RedisError

from feature_repo.model_matrix import MODEL_FEATURES, MODEL_FINGERPRINT, model_matrix
from feature_repo.online.reader import FeatureReader
from feature_repo.request_time import RequestColumns, is_available
from scoring.gateway import explain
from scoring.gateway.eligible import Exclusion, exclusions
from scoring.gateway.errors import NoCandidateError, StoreUnavailableError
from scoring.gateway.explain import Scored
from scoring.gateway.messages import (
    Candidate,
    Decision,
    Recommendation,
    RecommendationAnswer,
    RecommendationRequest,
    Versions,
)
from scoring.gateway.metrics import count_unusable
from scoring.gateway.policy import rank
from scoring.gateway.policy_file import Policy
from scoring.gateway.read import CandidateTable, read, request_columns
from scoring.gateway.retrieve import Retriever
from scoring.gateway.score import ScoreLadder
from scoring.gateway.stages import StageClock

EXPLAINED_BEYOND_TOP_K = 20
"""Contributions asked for beyond the ones shown: policy may move a row up, and a nearer provider
who is not chosen is usually among them."""


@dataclass(frozen=True)
class Pipeline:
    """Everything that a decision needs; requests in several threads share one."""

    retriever: Retriever
    reader: FeatureReader
    ladder: ScoreLadder
    policy: Policy

    def decide(self, request: RecommendationRequest, clock: StageClock) -> Decision:
        """Rank the candidates of one request.

        Raises:
            NoCandidateError: Nobody may be sent.
            StoreUnavailableError: Redis did not answer.
        """
        decided_us = time.time_ns() // 1000
        table = self._candidates(request, decided_us, clock)
        count_unusable(table.unusable)
        with clock.stage("eligible"):
            now = request_columns(request, decided_us, len(table.provider_ids), 0)
            excluded = exclusions(table, request, self.policy, now)
            eligible = table.take(np.array([code is None for code in excluded], dtype=np.bool_))
            if not eligible.provider_ids:
                raise _nobody(request, table, excluded)
        scored, degraded = self._scored(request, decided_us, eligible, clock)
        with clock.stage("explain"):
            recommendations = _recommendations(scored, request.top_k)
            not_nearer = explain.why_not_nearer(scored)
        answer = RecommendationAnswer(
            event_id=request.event_id,
            decided_at=datetime.fromtimestamp(decided_us / 1e6, tz=UTC).isoformat(),
            recommendations=recommendations,
            why_not_nearer=not_nearer,
            candidates_considered=len(table.provider_ids),
            excluded=_counts(excluded),
            degraded=degraded,
            versions=Versions(
                model=scored.scores.bundle_version,
                policy=self.policy.version,
                features=MODEL_FINGERPRINT,
            ),
            stage_ms={**_rounded(clock.stage_ms), "total": round(clock.total_ms(), 2)},
        )
        return Decision(
            request=request,
            answer=answer,
            candidates=_candidate_table(table, excluded, scored),
            feature_names=list(MODEL_FEATURES),
            features=_features(scored, request.top_k),
        )

    def _candidates(
        self, request: RecommendationRequest, decided_us: int, clock: StageClock
    ) -> CandidateTable:
        try:
            with clock.stage("retrieve"):
                found = self.retriever.retrieve(request)
            if not found.provider_ids:
                raise NoCandidateError(
                    f"no provider has a known position within {found.radius_km} km",
                    field="location",
                    value=request.location,
                    remedy="check the location, and that positions arrive (/readyz)",
                )
            with clock.stage("read"):
                return read(self.reader, request, decided_us, found.provider_ids)
        except RedisError as error:
            raise StoreUnavailableError(
                f"Redis did not answer ({error})",
                field="feature store",
                value=type(error).__name__,
                remedy="ask again; operations see /readyz",
            ) from error

    def _scored(
        self,
        request: RecommendationRequest,
        decided_us: int,
        eligible: CandidateTable,
        clock: StageClock,
    ) -> tuple[Scored, list[str]]:
        degraded = [
            f"schema_mismatch:{view}"
            for view, counts in eligible.unusable.items()
            if counts["mismatched"]
        ]
        with clock.stage("features"):
            now = _request_columns(request, decided_us, eligible)
            matrix = model_matrix(eligible.columns, now)
        with clock.stage("score"):
            explained = request.top_k + EXPLAINED_BEYOND_TOP_K
            scores = self.ladder.score(matrix, explained, degraded)
        with clock.stage("policy"):
            ranking = rank(eligible, scores.scores, self.policy, now, request.event_id)
        return Scored(eligible, matrix, scores, ranking), degraded


def _request_columns(
    request: RecommendationRequest, decided_us: int, eligible: CandidateTable
) -> RequestColumns:
    status = eligible.columns["provider_availability__status"]
    available = int(np.nansum(is_available(status)))
    return request_columns(request, decided_us, len(eligible.provider_ids), available)


def _recommendations(scored: Scored, top_k: int) -> list[Recommendation]:
    shown = scored.ranking.order[:top_k]
    return [
        _recommendation(scored, int(row), shown, position + 1) for position, row in enumerate(shown)
    ]


def _recommendation(
    scored: Scored, row: int, shown: npt.NDArray[np.intp], rank_: int
) -> Recommendation:
    freshest, stalest = explain.feature_ages(scored, row)
    distance_km = scored.distance_km(row)
    scores = scored.scores
    return Recommendation(
        rank=rank_,
        provider_id=scored.table.provider_ids[row],
        minutes_away=round(float(scores.eta_p50_min[row]), 1),
        minutes_away_p90=round(float(scores.eta_p90_min[row]), 1),
        success_probability=round(float(scores.success_probability[row]), 4),
        distance_km=None if distance_km is None else round(distance_km, 2),
        score=float(scores.scores[row]),
        propensity=float(scored.ranking.propensity[row]),
        reasons=explain.reasons(scored, row, shown),
        freshest=freshest,
        stalest=stalest,
        policy_actions=scored.ranking.actions[row],
    )


def _candidate_table(
    table: CandidateTable, excluded: list[Exclusion | None], scored: Scored
) -> list[Candidate]:
    """Return one line a candidate: the ranked ones first, in order, then the excluded."""
    ranked = [
        Candidate(
            provider_id=scored.table.provider_ids[row],
            distance_km=scored.distance_km(row),
            rank=position + 1,
            score=float(scored.scores.scores[row]),
            success_probability=float(scored.scores.success_probability[row]),
            propensity=float(scored.ranking.propensity[row]),
            policy_actions=scored.ranking.actions[row],
        )
        for position, row in enumerate(scored.ranking.order)
    ]
    left_out = [
        Candidate(provider_id=provider_id, distance_km=None, excluded=code.value)
        for provider_id, code in zip(table.provider_ids, excluded, strict=True)
        if code is not None
    ]
    return ranked + left_out


def _features(scored: Scored, top_k: int) -> dict[str, list[float | None]]:
    return {
        scored.table.provider_ids[row]: [
            None if np.isnan(value) else float(value) for value in scored.matrix[row]
        ]
        for row in scored.ranking.order[:top_k]
    }


def _nobody(
    request: RecommendationRequest, table: CandidateTable, excluded: list[Exclusion | None]
) -> NoCandidateError:
    counts = ", ".join(f"{count} {code}" for code, count in _counts(excluded).items())
    return NoCandidateError(
        f"none of {len(table.provider_ids)} providers near may be sent ({counts})",
        field="service",
        value=request.service,
        remedy="widen the promise, name candidates, or dispatch by hand",
    )


def _counts(excluded: list[Exclusion | None]) -> dict[str, int]:
    return dict(Counter(code.value for code in excluded if code is not None).most_common())


def _rounded(stage_ms: dict[str, float]) -> dict[str, float]:
    return {name: round(elapsed, 2) for name, elapsed in stage_ms.items()}
