"""The stages of one decision, composed: retrieve, read, eligible, score, policy, explain."""

import time
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from feature_repo.model_matrix import MODEL_FINGERPRINT, model_matrix
from feature_repo.request_time import RequestColumns, is_available
from scoring.gateway import explain
from scoring.gateway.candidate_table import CandidateTable
from scoring.gateway.circumstances import Circumstances
from scoring.gateway.eligible import Exclusions, exclusions
from scoring.gateway.errors import NoCandidateError
from scoring.gateway.explain import Scored
from scoring.gateway.messages import RecommendationAnswer, RecommendationRequest, Versions
from scoring.gateway.metrics import count_unusable
from scoring.gateway.policy.first_places import FirstPlaces
from scoring.gateway.policy.rules import Policy
from scoring.gateway.policy.stage import apply_policy
from scoring.gateway.read import request_columns
from scoring.gateway.reloaded import Reloaded
from scoring.gateway.resilience.turns import Turns
from scoring.gateway.rungs import Rung, availability_is_away
from scoring.gateway.score_ladder import ScoreLadder
from scoring.gateway.served import Served, recommendations
from scoring.gateway.stages import StageClock
from scoring.gateway.store_ladder import StoreLadder

EXPLAINED_BEYOND_TOP_K = 10
"""Contributions asked for beyond the ones shown: policy may move a row up, and a nearer provider
who is not chosen is usually among them."""

ALL_FEATURES_SHARE = 0.01
"""Of the decisions, those whose log has the features of every candidate, not of the shown alone:
checks of skew and drift want those that were not shown, too. Adds 2 % to the log."""


@dataclass(frozen=True)
class Pipeline:
    """Everything that a decision needs; all requests of an event loop share one."""

    store: StoreLadder
    scores: ScoreLadder
    policy: Reloaded[Policy]
    first_places: FirstPlaces
    turns: Turns
    all_features_share: float = ALL_FEATURES_SHARE

    async def decide(
        self, request: RecommendationRequest, clock: StageClock, circumstances: Circumstances
    ) -> Served:
        """Rank the candidates of one request; where nobody may be sent, say so.

        Raises:
            StoreUnavailableError: Redis did not answer, and nothing is known from before.
        """
        decided_us, policy = time.time_ns() // 1000, self.policy.value
        table = await self.store.candidates(request, decided_us, clock, circumstances)
        await self._turn(clock, circumstances)
        count_unusable(table.unusable)
        with clock.stage("eligible"):
            now = request_columns(request, decided_us, available_candidates=0)
            excluded = _exclusions(table, request, policy, now, circumstances)
            eligible = table.take(excluded.eligible)
        scored = None
        if eligible.provider_ids:
            scored = await self._scored(request, decided_us, eligible, policy, circumstances, clock)
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
            degraded=circumstances.degraded,
            versions=Versions(
                model="" if scored is None else scored.scores.bundle_version,
                policy=policy.version,
                features=MODEL_FINGERPRINT,
            ),
            stage_ms={**_rounded(clock.stage_ms), "total": round(clock.total_ms(), 2)},
        )
        refused = None if recommended else _nobody(answer, request)
        everybody = None
        if is_drawn(request.event_id, self.all_features_share):
            now = request_columns(request, decided_us, _available(eligible))
            everybody = model_matrix(table.columns, now)
        return Served(request, answer, table.provider_ids, excluded, scored, refused, everybody)

    async def _turn(self, clock: StageClock, circumstances: Circumstances) -> None:
        with clock.stage("turn"):
            await self.turns.take(circumstances.deadline)

    async def _scored(  # noqa: PLR0913, PLR0917 - what the stages hand on
        self,
        request: RecommendationRequest,
        decided_us: int,
        eligible: CandidateTable,
        policy: Policy,
        circumstances: Circumstances,
        clock: StageClock,
    ) -> Scored:
        with clock.stage("features"):
            now = request_columns(request, decided_us, _available(eligible))
            matrix = model_matrix(eligible.columns, now)
        with clock.stage("score"):
            explained = request.top_k + EXPLAINED_BEYOND_TOP_K
            scores = await self.scores.score(matrix, explained, circumstances)
        await self._turn(clock, circumstances)
        with clock.stage("policy"):
            ranking = apply_policy(
                eligible, scores, policy, self.first_places, now, request.event_id
            )
        return Scored(eligible.provider_ids, matrix, scores, ranking)


def _available(eligible: CandidateTable) -> int:
    return int(np.nansum(is_available(eligible.columns["provider_availability__status"])))


def is_drawn(event_id: str, share: float) -> bool:
    """Return whether an event is among a share, 0 to 1, of all: the same wherever it is asked."""
    return zlib.crc32(event_id.encode()) < share * 2**32


def _exclusions(
    table: CandidateTable,
    request: RecommendationRequest,
    policy: Policy,
    now: RequestColumns,
    circumstances: Circumstances,
) -> Exclusions:
    """Return who may not be sent; where that is all, as availabilities cannot be had, by profile.

    Without anything wrong it stays: nobody may be sent.
    """
    excluded = exclusions(table, request, policy, now)
    if excluded.eligible.any() or not availability_is_away(circumstances.degraded):
        return excluded
    by_profile = exclusions(table, request, policy, now, profile_only=True)
    if not by_profile.eligible.any():
        return excluded
    circumstances.note(Rung.PROFILE_ONLY)
    return by_profile


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
