"""The fifth stage: scores, minutes and chances, from the first rung of the ladder that answers.

Endpoint -> the same bundle in this process -> the rule. Each rung below the first is named in the
answer's ``degraded``.
"""

import logging
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from prometheus_client import Counter

from feature_repo.model_matrix import MODEL_FEATURES
from scoring.endpoint.protocol import ResponseError, decode_response, encode_request
from scoring.endpoint.scorer import Scores

logger = logging.getLogger(__name__)

RULE_VERSION = "rule-1"
RULE_SPREAD = 1.6
"""Ninetieth over fiftieth percentile of minutes to arrival where no model says better."""
PRIOR_COMPLETION = 0.5
"""Chance of success of a provider without a record."""

Matrix = npt.NDArray[np.float32]

ANSWERS = Counter(
    "gateway_endpoint_answers_total",
    "Answers of the endpoint by its variant, and whether they were scores that can be (valid) or "
    "not (invalid: unreadable, not numbers, no chances).",
    ["variant", "outcome"],
)


class EndpointError(Exception):
    """The endpoint did not answer, or not in time, or not what was asked."""


class Answered(NamedTuple):
    """What an endpoint answered, and which of its variants did; empty where it does not say."""

    body: bytes
    variant: str = ""


class Endpoint(Protocol):
    """Whatever carries bytes to the model endpoint and back."""

    async def invoke(self, body: bytes) -> Answered:
        """Return the answer.

        Raises:
            EndpointError: There is none.
        """


class EndpointScorer:
    """The bundle behind the SageMaker endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def score(self, matrix: Matrix, explain_rows: int = 0) -> Scores:
        """Score float32 [n, f].

        Raises:
            EndpointError: With the cause; the client's own time-outs bound how long it takes.
        """
        answer = await self._endpoint.invoke(encode_request(matrix, explain_rows))
        try:
            scores = decode_response(answer.body, len(matrix))
        except ResponseError as error:
            ANSWERS.labels(answer.variant, "invalid").inc()
            raise EndpointError(f"variant {answer.variant!r}: {error}") from error
        ANSWERS.labels(answer.variant, "valid").inc()
        return scores


class RuleScorer:
    """The last rung: soonest first, weighed by how often the provider completes its jobs."""

    def score(self, matrix: Matrix, explain_rows: int = 0) -> Scores:  # noqa: ARG002
        """Score float32 [n, f]; never fails and explains no row."""
        eta = np.nan_to_num(_feature(matrix, "request_time__eta_min"), nan=np.inf)
        base_km = _feature(matrix, "request_time__base_distance_km")
        eta = np.where(np.isinf(eta), np.nan_to_num(base_km, nan=100.0), eta)
        completion = _feature(matrix, "provider_history__completion_rate_30d")
        chance = np.nan_to_num(completion, nan=PRIOR_COMPLETION)
        return Scores(
            bundle_version=RULE_VERSION,
            scores=(-eta / np.maximum(chance, 0.1)).astype(np.float32),
            eta_p50_min=eta.astype(np.float32),
            eta_p90_min=(eta * RULE_SPREAD).astype(np.float32),
            success_probability=chance.astype(np.float32),
            explained_rows=np.empty(0, dtype=np.int32),
            contributions=np.empty((0, matrix.shape[1]), dtype=np.float32),
            expected_score=0.0,
        )


class CandidateScorer(Protocol):
    """Anything beyond this process that scores a model matrix."""

    async def score(self, matrix: Matrix, explain_rows: int = 0) -> Scores:
        """Score float32 [n, f].

        Raises:
            EndpointError: It cannot.
        """


def _feature(matrix: Matrix, name: str) -> npt.NDArray[np.float32]:
    column: npt.NDArray[np.float32] = matrix[:, MODEL_FEATURES.index(name)]
    return column
