"""The stages of one decision, composed: retrieve, read, eligible, score, policy, explain."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from redis import RedisError

from feature_repo.model_matrix import MODEL_FINGERPRINT, model_matrix
from feature_repo.online.reader import AsyncFeatureReader
from feature_repo.request_time import RequestColumns, is_available
from scoring.gateway import explain
from scoring.gateway.eligible import exclusions
from scoring.gateway.errors import NoCandidateError, StoreUnavailableError
from scoring.gateway.explain import Scored
from scoring.gateway.messages import RecommendationAnswer, RecommendationRequest, Versions
from scoring.gateway.metrics import count_unusable
from scoring.gateway.policy.first_places import FirstPlaces
from scoring.gateway.policy.rules import Policy
from scoring.gateway.policy.stage import apply_policy
from scoring.gateway.read import CandidateTable, read, request_columns
from scoring.gateway.reloaded import Reloaded
from scoring.gateway.retrieve import Retriever
from scoring.gateway.score import ScoreLadder
from scoring.gateway.served import Served, recommendations
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

    async def decide(self, request: RecommendationRequest, clock: StageClock) -> Served:
        """Rank the candidates of one request; where nobody may be sent, say so.

        Raises:
            StoreUnavailableError: Redis did not answer.
        """
        decided_us, policy = time.time_ns() // 1000, self.policy.value
        table = await self._candidates(request, decided_us, clock)
        count_unusable(table.unusable)
        with clock.stage("eligible"):
            now = request_columns(request, decided_us, len(table.provider_ids), 0)
            excluded = exclusions(table, request, policy, now)
            eligible = table.take(excluded.eligible)
        degraded = _mismatched(table)
        scored = None
        if eligible.provider_ids:
            scored = await self._scored(request, decided_us, eligible, policy, degraded, clock)
        with clock.stage("explain"):
            recommended = [] if scored is None else recommendations(scored, request.top_k)
            not_nearer = None if scored is None else explain.why_not_nearer(scored)
        answer = RecommendationAnswer(
            event_id=request.event_id,
            decided_at=datetime.fromtimestamp(decided_us / 1e6, tz=UTC).isoformat(),
            recommendations=recommended,
            why_not_nearer=not_nearer,
            candidates_considered=len(table.provider_ids),
            excluded=excluded.counts(),
            degraded=degraded,
            versions=Versions(
                model="" if scored is None else scored.scores.bundle_version,
                policy=policy.version,
                features=MODEL_FINGERPRINT,
            ),
            stage_ms={**_rounded(clock.stage_ms), "total": round(clock.total_ms(), 2)},
        )
        refused = None if recommended else _nobody(answer, request)
        return Served(request, answer, table.provider_ids, excluded, scored, refused)

    async def _candidates(
        self, request: RecommendationRequest, decided_us: int, clock: StageClock
    ) -> CandidateTable:
        try:
            with clock.stage("retrieve"):
                found = await self.retriever.retrieve(request)
            with clock.stage("read"):
                return await read(self.reader, request, decided_us, found.provider_ids)
        except RedisError as error:
            raise StoreUnavailableError(
                f"Redis did not answer ({error})",
                field="feature store",
                value=type(error).__name__,
                remedy="ask again; operations see /readyz",
            ) from error

    async def _scored(  # noqa: PLR0913, PLR0917 - what the stages hand on
        self,
        request: RecommendationRequest,
        decided_us: int,
        eligible: CandidateTable,
        policy: Policy,
        degraded: list[str],
        clock: StageClock,
    ) -> Scored:
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
        return Scored(eligible.provider_ids, matrix, scores, ranking)


def _request_columns(
    request: RecommendationRequest, decided_us: int, eligible: CandidateTable
) -> RequestColumns:
    status = eligible.columns["provider_availability__status"]
    available = int(np.nansum(is_available(status)))
    return request_columns(request, decided_us, len(eligible.provider_ids), available)


def _mismatched(table: CandidateTable) -> list[str]:
    return [
        f"schema_mismatch:{view}" for view, counts in table.unusable.items() if counts["mismatched"]
    ]


def _nobody(answer: RecommendationAnswer, request: RecommendationRequest) -> NoCandidateError:
    if not answer.candidates_considered:
        return NoCandidateError(
            "no provider has a known position near",
            field="location",
            value=request.location,
            remedy="check the location, and that positions arrive (/readyz)",
        )
    counts = ", ".join(f"{count} {code}" for code, count in answer.excluded.items())
    return NoCandidateError(
        f"none of {answer.candidates_considered} providers near may be sent ({counts})",
        field="service",
        value=request.service,
        remedy="name candidates, or dispatch by hand",
    )


def _rounded(stage_ms: dict[str, float]) -> dict[str, float]:
    return {name: round(elapsed, 2) for name, elapsed in stage_ms.items()}
