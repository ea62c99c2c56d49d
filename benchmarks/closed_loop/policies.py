"""The policies that only know what is observed: two rules, and the model with and without rules."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.closed_loop.batch_rows import BatchRows
from benchmarks.closed_loop.seen import seen
from feature_repo import request_time
from feature_repo.model_matrix import full_name, model_matrix
from feature_repo.schema import PROVIDER_HISTORY
from scoring.endpoint.scorer import Scorer, Scores
from scoring.gateway.candidate_table import CandidateTable, StackedColumns
from scoring.gateway.policy.first_places import FirstPlaces
from scoring.gateway.policy.rules import Policy as PolicyRules
from scoring.gateway.policy.stage import apply_policy
from simulator.luck import Floats
from simulator.policy import Choice, Ranking, certain

ScoreOf = Callable[[Scores], npt.NDArray[np.floating[Any]]]


@dataclass(frozen=True)
class LowestEta:
    """The lowest ``eta_min`` first; who has none goes last, nearest first."""

    batch: BatchRows

    def rank(self, choice: Choice, rng: np.random.Generator) -> Ranking:
        """Order by the request-time feature that the model gets as well."""
        del rng
        known = seen(choice, self.batch)
        eta = request_time.compute(known.fresh(), known.request)["eta_min"]
        return certain(-_known(eta, np.inf))


@dataclass(frozen=True)
class HistoryOnly:
    """Who accepted and completed most over 30 days, for this service, wherever it is."""

    batch: BatchRows

    def rank(self, choice: Choice, rng: np.random.Generator) -> Ranking:
        """Order by acceptance rate times completion rate."""
        del rng
        record = self.batch.history(choice.candidates, choice.request.service, choice.now_s)
        accepted, completed = (
            record[full_name(PROVIDER_HISTORY.name, f"{rate}_rate_30d")]
            for rate in ("acceptance", "completion")
        )
        return certain(_known(accepted * completed, -np.inf))


@dataclass(frozen=True)
class Model:
    """A bundle's order.

    Attributes:
        batch: The batch tables.
        scorer: The bundle, as the endpoint loads it.
        score_of: Which of its numbers orders the candidates.
    """

    batch: BatchRows
    scorer: Scorer
    score_of: ScoreOf

    def rank(self, choice: Choice, rng: np.random.Generator) -> Ranking:
        """Score the model matrix of the candidates."""
        del rng
        known = seen(choice, self.batch)
        score = self.score_of(self.scorer.score(model_matrix(known.columns, known.request)))
        return certain(score.astype(np.float64))


@dataclass(frozen=True)
class ModelWithRules:
    """A bundle's ranker behind the gateway's policy, as one gateway would serve it.

    Attributes:
        batch: The batch tables.
        scorer: The bundle, as the endpoint loads it.
        rules: The gateway's policy file.
        first_places: Who stood first lately, as its rules of shares need.
    """

    batch: BatchRows
    scorer: Scorer
    rules: PolicyRules
    first_places: FirstPlaces

    def rank(self, choice: Choice, rng: np.random.Generator) -> Ranking:
        """Score the model matrix of the candidates, and let the policy stage order them."""
        del rng
        known = seen(choice, self.batch)
        scores = self.scorer.score(model_matrix(known.columns, known.request))
        ids = choice.providers.ids
        named = [ids[index] for index in choice.candidates]
        table = CandidateTable(named, StackedColumns.of(known.columns), {})
        ranked = apply_policy(
            table, scores, self.rules, self.first_places, known.request, choice.request.event_id
        )
        return Ranking(ranked.order.astype(np.int64), ranked.propensity)


def by_ranker(scores: Scores) -> npt.NDArray[np.floating[Any]]:
    """Return the ranker's score, as served."""
    return scores.scores


def by_chance(scores: Scores) -> npt.NDArray[np.floating[Any]]:
    """Return the calibrated chance of success."""
    return scores.success_probability


def _known(values: npt.NDArray[np.floating[Any]], otherwise: float) -> Floats:
    return np.where(np.isnan(values), otherwise, values).astype(np.float64)
