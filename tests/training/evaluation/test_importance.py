"""Which features the ranker leans on."""

import numpy as np
import pandas as pd
import pytest

from feature_repo.model_matrix import MODEL_FEATURES
from training import models
from training.evaluation import importance
from training.evaluation.evaluate import Evaluated

PLANTED = "provider_profile__cost_per_job_usd"


def test_the_one_informative_feature_comes_first(
    evaluated: Evaluated, training_set: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ranker of a world where only the price decides leans on the price, by both measures."""
    monkeypatch.setitem(models._COMMON, "iterations", 40)
    found = importance.measure(
        models.train(_price_decides(training_set), 7).ranker, evaluated.cases, 200, 7
    )
    assert found[0].name == PLANTED
    assert found[0].shap > 0.5
    assert max(found, key=lambda feature: feature.values_change).name == PLANTED


def _price_decides(frame: pd.DataFrame) -> pd.DataFrame:
    cheap = frame[PLANTED] < frame[PLANTED].median()
    grade = np.where(frame["grade"].isna(), np.nan, np.where(cheap, 4.0, 0.0))
    return frame.assign(grade=grade, success=cheap)


def test_shares_add_up(evaluated: Evaluated) -> None:
    """Both importances are shares of the whole, over features and over views alike."""
    features = evaluated.results.importance
    assert {feature.name for feature in features} == set(MODEL_FEATURES)
    for found in (features, importance.by_view(features)):
        assert sum(each.shap for each in found) == pytest.approx(1)
        assert sum(each.values_change for each in found) == pytest.approx(1)
