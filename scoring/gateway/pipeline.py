"""The stages of one decision, composed: retrieve, read, eligible, score, policy, explain."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
from redis import RedisError

from feature_repo.model_matrix import MODEL_FEATURES, MODEL_FINGERPRINT, model_matrix
from feature_repo.online.reader import AsyncFeatureReader
from feature_repo.request_time import RequestColumns, is_available
from scoring.gateway import explain
from scoring.gateway.eligible import Exclusions, exclusions
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
from scoring.gateway.policy.first_places import FirstPlaces
from scoring.gateway.policy.rules import Policy
from scoring.gateway.policy.stage import apply_policy
from scoring.gateway.read import CandidateTable, read, request_columns
from scoring.gateway.reloaded import Reloaded
from scoring.gateway.retrieve import Retriever
from scoring.gateway.score import ScoreLadder
from scoring.gateway.stages import StageClock

EXPLAINED_BEYOND_TOP_K = 20
"""Contributions asked for beyond the ones shown: policy may move a row up, and a nearer provider
who is not chosen is usually among them."""


@dataclass(frozen=True)
class Pipeline:
    """Everything that a decision needs; all requests of an event loop share one."""

    retriever: Retriever
    reader: AsyncFeatureReader
    ladder: ScoreLadder
    policy: Reloaded[Policy]
    first_places: FirstPlaces

    async def decide(self, request: RecommendationRequest, clock: StageClock) -> Decision:
        """Rank the candidates of one request.

        Raises:
            NoCandidateError: Nobody may be sent.
            StoreUnavailableError: Redis did not answer.
        """
        decided_us, policy = time.time_ns() // 1000, self.policy.value
        table = await self._candidates(request, decided_us, clock)
        count_unusable(table.unusable)
        with clock.stage("eligible"):
            now = request_columns(request, decided_us, len(table.provider_ids), 0)
            excluded = exclusions(table, request, policy, now)
            eligible = table.take(excluded.eligible)
            if not eligible.provider_ids:
                raise _nobody(request, table, excluded)
        scored, degraded = await self._scored(request, decided_us, eligible, policy, clock)
        with clock.stage("explain"):
            recommendations = _recommendations(scored, request.top_k)
            not_nearer = explain.why_not_nearer(scored)
        answer = RecommendationAnswer(
            event_id=request.event_id,
            decided_at=datetime.fromtimestamp(decided_us / 1e6, tz=UTC).isoformat(),
            recommendations=recommendations,
            why_not_nearer=not_nearer,
            candidates_considered=len(table.provider_ids),
            excluded=excluded.counts(),
            degraded=degraded,
            versions=Versions(
                model=scored.scores.bundle_version,
                policy=policy.version,
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

    async def _candidates(
        self, request: RecommendationRequest, decided_us: int, clock: StageClock
    ) -> CandidateTable:
        try:
            with clock.stage("retrieve"):
                found = await self.retriever.retrieve(request)
            if not found.provider_ids:
                raise NoCandidateError(
                    f"no provider has a known position within {found.radius_km} km",
                    field="location",
                    value=request.location,
                    remedy="check the location, and that positions arrive (/readyz)",
                )
            with clock.stage("read"):
                return await read(self.reader, request, decided_us, found.provider_ids)
        except RedisError as error:
            raise StoreUnavailableError(
                f"Redis did not answer ({error})",
                field="feature store",
                value=type(error).__name__,
                remedy="ask again; operations see /readyz",
            ) from error

    async def _scored(
        self,
        request: RecommendationRequest,
        decided_us: int,
        eligible: CandidateTable,
        policy: Policy,
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
            scores = await self.ladder.score(matrix, explained, degraded)
        with clock.stage("policy"):
            ranking = apply_policy(
                eligible, scores, policy, self.first_places, now, request.event_id
            )
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
    table: CandidateTable, excluded: Exclusions, scored: Scored
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
        for row, provider_id in enumerate(table.provider_ids)
        if (code := excluded[row]) is not None
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
    request: RecommendationRequest, table: CandidateTable, excluded: Exclusions
) -> NoCandidateError:
    counts = ", ".join(f"{count} {code}" for code, count in excluded.counts().items())
    return NoCandidateError(
        f"none of {len(table.provider_ids)} providers near may be sent ({counts})",
        field="service",
        value=request.service,
        remedy="widen the promise, name candidates, or dispatch by hand",
    )


def _rounded(stage_ms: dict[str, float]) -> dict[str, float]:
    return {name: round(elapsed, 2) for name, elapsed in stage_ms.items()}
