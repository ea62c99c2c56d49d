from pathlib import Path

import numpy as np
import pytest
from catboost import CatBoost

from feature_repo.model_matrix import MODEL_FEATURES
from scoring.endpoint.scorer import Scorer
from tests.support.bundles import make_matrix


def test_scores_are_the_models_own(scorer: Scorer, bundle_directory: Path) -> None:
    """Each column of the answer is its model's own prediction for each row, in the row's order."""
    matrix = make_matrix(50, seed=9)
    answer = scorer.score(matrix)
    models = {
        role: CatBoost().load_model(str(bundle_directory / f"{role}.cbm"))
        for role in ("ranker", "eta_p50", "eta_p90", "success")
    }
    np.testing.assert_allclose(answer.scores, models["ranker"].predict(matrix), rtol=1e-6)
    p50 = np.maximum(models["eta_p50"].predict(matrix), 0)
    np.testing.assert_allclose(answer.eta_p50_min, p50, rtol=1e-6)
    p90 = np.maximum(models["eta_p90"].predict(matrix), p50)
    np.testing.assert_allclose(answer.eta_p90_min, p90, rtol=1e-6)
    raw = models["success"].predict(matrix, prediction_type="Probability")[:, 1]
    expected = np.interp(raw, scorer.manifest.calibration.x, scorer.manifest.calibration.y)
    np.testing.assert_allclose(answer.success_probability, expected, rtol=1e-5)


def test_the_ninetieth_percentile_is_never_below_the_median(scorer: Scorer) -> None:
    """Quantiles do not cross and are not negative, also where the two models disagree."""
    answer = scorer.score(make_matrix(2000, seed=3))
    assert (answer.eta_p90_min >= answer.eta_p50_min).all()
    assert (answer.eta_p50_min >= 0).all()


def test_the_best_rows_are_explained(scorer: Scorer) -> None:
    """Contributions are those of the best rows, best first, and sum to score less expected."""
    answer = scorer.score(make_matrix(60, seed=4), explain_rows=7)
    np.testing.assert_array_equal(
        answer.explained_rows, np.argsort(-answer.scores, kind="stable")[:7]
    )
    total = answer.contributions.sum(axis=1) + answer.expected_score
    np.testing.assert_allclose(total, answer.scores[answer.explained_rows], atol=1e-5)


def test_a_row_scores_alike_in_any_company(scorer: Scorer) -> None:
    """A candidate's scores do not depend on which other candidates are asked about with it."""
    matrix = make_matrix(30, seed=5)
    together, alone = scorer.score(matrix), scorer.score(matrix[11:12])
    assert together.scores[11] == alone.scores[0]
    assert together.success_probability[11] == alone.success_probability[0]


@pytest.mark.parametrize(("asked", "given"), [(0, 0), (3, 3), (99, 5)])
def test_more_explanations_than_rows(scorer: Scorer, asked: int, given: int) -> None:
    """As many rows are explained as were asked for, or as there are."""
    answer = scorer.score(make_matrix(5, seed=6), explain_rows=asked)
    assert answer.contributions.shape == (given, len(MODEL_FEATURES))


@pytest.mark.parametrize(
    "matrix",
    [
        np.zeros((0, len(MODEL_FEATURES)), dtype=np.float32),
        np.zeros((3, len(MODEL_FEATURES) - 1), dtype=np.float32),
        np.zeros((3, len(MODEL_FEATURES)), dtype=np.float64),
        np.zeros(len(MODEL_FEATURES), dtype=np.float32),
    ],
)
def test_a_matrix_that_does_not_fit(scorer: Scorer, matrix: np.ndarray) -> None:  # type: ignore[type-arg]
    """A matrix of another shape or type is refused with the shape that is needed."""
    with pytest.raises(ValueError, match=f"{len(MODEL_FEATURES)}"):
        scorer.score(matrix)
