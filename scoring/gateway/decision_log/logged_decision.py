"""The log's form of a decision: a list a column, a quarter of the bytes of a list of objects."""

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from scoring.gateway.answers import error_body
from scoring.gateway.explain import Scored
from scoring.gateway.messages import ErrorBody, RecommendationAnswer, RecommendationRequest
from scoring.gateway.served import Served, known_km, rounded

DIGITS = 6
"""Of scores and chances, after the point: they are float32, and say no more."""


class RankedColumns(msgspec.Struct, frozen=True):
    """The candidates who could be sent, best first."""

    provider_id: list[str]
    distance_km: list[float | None]
    score: list[float]
    minutes_away: list[float]
    success_probability: list[float]
    propensity: list[float]


class ExcludedColumns(msgspec.Struct, frozen=True):
    """The candidates who could not; ``excluded`` has the codes."""

    provider_id: list[str]
    distance_km: list[float | None]
    excluded: list[str]


class LoggedDecision(msgspec.Struct, frozen=True):
    """Everything about one decision, as ``messages.Decision`` has it.

    Attributes:
        request: What was asked.
        answer: What was answered.
        refusal: What was answered instead where nobody could be sent.
        ranked: Who could be sent.
        policy_actions: What the policy did with some of them, as codes, by provider.
        excluded: Who could not.
        features: Of each provider shown, the model's input as it was read, in the order of the
            feature list that ``answer.versions.features`` names; null is unknown.
        other_features: The same of all others, on a share of the decisions.
    """

    request: RecommendationRequest
    answer: RecommendationAnswer
    refusal: ErrorBody | None
    ranked: RankedColumns
    policy_actions: dict[str, list[str]]
    excluded: ExcludedColumns
    features: dict[str, list[float | None]]
    other_features: dict[str, list[float | None]]


def logged_decision(served: Served) -> LoggedDecision:
    """Return a decision as it is logged."""
    scored = served.scored
    features = served.features()
    return LoggedDecision(
        request=served.request,
        answer=served.answer,
        refusal=None if served.refused is None else error_body(served.refused),
        ranked=RankedColumns([], [], [], [], [], []) if scored is None else _ranked(scored),
        policy_actions={} if scored is None else _policy_actions(scored),
        excluded=_excluded(served),
        features=features,
        other_features=served.other_features(features),
    )


def _ranked(scored: Scored) -> RankedColumns:
    scores, ranking = scored.scores, scored.ranking
    order = ranking.order

    def column(values: npt.NDArray[np.floating[Any]], digits: int = DIGITS) -> list[float]:
        return rounded(values.take(order), digits)

    return RankedColumns(
        provider_id=[scored.provider_ids[row] for row in order.tolist()],
        distance_km=known_km(scored.distances_km.take(order)),
        score=column(scores.scores),
        minutes_away=column(scores.eta_p50_min, 1),
        success_probability=column(scores.success_probability),
        propensity=ranking.propensity.take(order).tolist(),
    )


def _policy_actions(scored: Scored) -> dict[str, list[str]]:
    actions = scored.ranking.actions
    return {scored.provider_ids[row]: actions[row] for row in actions.rows().tolist()}


def _excluded(served: Served) -> ExcludedColumns:
    rows, km = served.left_out()
    codes = served.excluded
    return ExcludedColumns(
        provider_id=[served.provider_ids[row] for row in rows],
        distance_km=km,
        excluded=codes.names(rows),
    )
