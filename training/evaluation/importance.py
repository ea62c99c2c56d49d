"""Which features the ranker leans on, by two measures that can disagree.

``PredictionValuesChange`` (CatBoost) comes from the trees alone: how much the score moves when a
feature crosses its splits. The mean absolute SHAP value (Lundberg and Lee, 2017) comes from rows:
how much a feature moved the scores of these candidates. Neither says that a feature is needed:
another may say the same, which only ablation tells.
"""

from dataclasses import dataclass

import numpy as np
from catboost import CatBoost, Pool

from feature_repo.model_matrix import MODEL_FEATURES
from training.evaluation.cases import Cases
from training.evaluation.intervals import Floats
from training.models import matrix

ROWS_EXPLAINED = 1000
"""CatBoost's SHAP takes about 2 ms a row."""


@dataclass(frozen=True)
class FeatureImportance:
    """One feature, or the features of one view together, in shares of the whole, 0 to 1."""

    name: str
    view: str
    values_change: float
    shap: float


def measure(ranker: CatBoost, cases: Cases, rows: int, seed: int) -> list[FeatureImportance]:
    """Return every feature's importance, the largest mean absolute SHAP value first.

    Args:
        ranker: With the features of ``MODEL_FEATURES``.
        cases: Rows to explain are drawn from these.
        rows: How many, at most.
        seed: Of the draw.
    """
    change = np.asarray(ranker.get_feature_importance(type="PredictionValuesChange"))
    chosen = cases.rows.sample(min(rows, len(cases.rows)), random_state=seed)
    shap = ranker.get_feature_importance(Pool(matrix(chosen)), type="ShapValues")
    moved = np.abs(np.asarray(shap)[:, :-1]).mean(axis=0)  # the last column is the expected value
    found = [
        FeatureImportance(name, name.split("__", 1)[0], float(values_change), float(mean_shap))
        for name, values_change, mean_shap in zip(
            MODEL_FEATURES, _shares(change), _shares(moved), strict=True
        )
    ]
    return sorted(found, key=lambda feature: -feature.shap)


def by_view(features: list[FeatureImportance]) -> list[FeatureImportance]:
    """Return the sums over the features of each view, the largest first."""
    found = [
        FeatureImportance(
            view,
            view,
            sum(f.values_change for f in features if f.view == view),
            sum(f.shap for f in features if f.view == view),
        )
        for view in {feature.view for feature in features}
    ]
    return sorted(found, key=lambda feature: (-feature.shap, feature.name))


def _shares(values: Floats) -> Floats:
    total = values.sum()
    return values / total if total else values
