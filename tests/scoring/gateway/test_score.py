import numpy as np
import pytest

from feature_repo.model_matrix import MODEL_FEATURES
from scoring.gateway.score import ANSWERS, Answered, EndpointError, EndpointScorer, RuleScorer


class _Nonsense:
    """An endpoint that answers something else."""

    async def invoke(self, body: bytes) -> Answered:
        return Answered(body, "candidate")


def _matrix(**given: list[float]) -> np.ndarray:
    rows = len(next(iter(given.values())))
    matrix = np.full((rows, len(MODEL_FEATURES)), np.nan, dtype=np.float32)
    for name, values in given.items():
        matrix[:, MODEL_FEATURES.index(name)] = values
    return matrix


async def test_an_answer_that_is_no_scores_is_an_endpoint_error() -> None:
    """What answers but not with scores is an endpoint that failed, counted by its variant."""
    invalid = ANSWERS.labels("candidate", "invalid")
    before = invalid._value.get()
    with pytest.raises(EndpointError, match=r"'candidate': .*cannot be read"):
        await EndpointScorer(_Nonsense()).score(_matrix(request_time__eta_min=[1.0]))
    assert invalid._value.get() == before + 1


def test_the_rule_prefers_the_sooner_and_the_more_reliable() -> None:
    """Half the minutes, or twice the completion rate, wins; unknown values lose to known ones."""
    matrix = _matrix(
        request_time__eta_min=[10, 20, 10, np.nan],
        provider_history__completion_rate_30d=[0.9, 0.9, 0.4, np.nan],
        request_time__base_distance_km=[1, 1, 1, 90],
    )
    scores = RuleScorer().score(matrix).scores
    assert np.argsort(-scores).tolist() == [0, 1, 2, 3]
