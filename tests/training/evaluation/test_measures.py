"""The metrics on cases small enough to reckon by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from training import models
from training.errors import DataError
from training.evaluation import evaluate, rules, verdicts
from training.evaluation.cases import Cases, Predictions, predict, select_cases
from training.evaluation.evaluate import Evaluated
from training.evaluation.intervals import Estimate, estimates
from training.evaluation.measures import event_sums
from training.models import TrainedModels


def _cases() -> Cases:
    """Two events: one with a refusal and a success, one with a success and one never offered."""
    rows = pd.DataFrame(
        {
            "event_id": ["a", "a", "b", "b"],
            "provider_id": ["p1", "p2", "p1", "p3"],
            "grade": [0.0, 4.0, 3.0, np.nan],
            "success": [False, True, True, None],
            "minutes_to_arrival": [np.nan, 20.0, 10.0, np.nan],
            "success_probability": [0.2, 0.8, 0.5, 0.9],
        }
    )
    return Cases(rows, np.array([0, 0, 1, 1]), 2)


def test_metrics_by_hand() -> None:
    """Every metric of a prediction is what paper and pencil give."""
    said = Predictions(
        score=np.array([2.0, 1.0, 3.0, 9.0]),
        chance=np.array([0.5, 0.5, 1.0, 0.7]),
        minutes=np.array([5.0, 26.0, 8.0, 1.0]),
        minutes_p90=np.array([5.0, 30.0, 9.0, 1.0]),
    )
    found = estimates(event_sums(_cases(), said), 1)
    assert found["true_success_at_1"].value == pytest.approx(0.9)  # only b has all candidates
    assert found["ndcg_at_1"].value == pytest.approx(0.0)  # only a can be ordered wrongly
    assert found["ndcg_at_5"].value == pytest.approx(1 / np.log2(3))
    assert found["success_rate"].value == pytest.approx(2 / 3)
    assert found["success_brier"].value == pytest.approx((0.25 + 0.25 + 0) / 3)
    assert found["success_bias"].value == pytest.approx((0.5 - 0.5 + 0) / 3)
    assert found["eta_mae_min"].value == pytest.approx((6 + 2) / 2)
    assert found["eta_bias_min"].value == pytest.approx((6 - 2) / 2)
    assert found["eta_p90_coverage"].value == pytest.approx(0.5)


def test_predictions_are_the_models_own(evaluated: Evaluated, trained: TrainedModels) -> None:
    """Score, calibrated chance, median and p90 each come from their model; p90 is never below."""
    rows = evaluated.cases.rows
    features, said = models.matrix(rows), predict(trained, rows)
    assert said.minutes is not None
    assert said.minutes_p90 is not None
    np.testing.assert_array_equal(said.score, trained.ranker.predict(features))
    np.testing.assert_array_equal(said.minutes, trained.eta_p50.predict(features))
    p90 = trained.eta_p90.predict(features)
    np.testing.assert_array_equal(said.minutes_p90, np.maximum(said.minutes, p90))
    assert (said.minutes_p90 > said.minutes).mean() > 0.9
    raw, table = models.raw_probability(trained.success, features), trained.calibration
    np.testing.assert_array_equal(said.chance, np.interp(raw, table.x, table.y))


def test_a_rule_has_only_the_metrics_it_can_have() -> None:
    """What says no chance and no minutes has no Brier score and no error of arrival."""
    found = estimates(event_sums(_cases(), Predictions(np.arange(4.0))), 1)
    assert np.isnan(found["success_brier"].value)
    assert np.isnan(found["eta_mae_min"].value)
    assert np.isfinite(found["ndcg_at_5"].value)


def test_the_oracle_is_the_best_possible(evaluated: Evaluated) -> None:
    """No contender's first choices truly succeed more often than the oracle's."""
    values = {
        name: measured["true_success_at_1"].value
        for name, measured in evaluated.results.contenders.items()
    }
    assert max(values, key=lambda name: values[name]) == rules.ORACLE
    assert {"nearest", "lowest_eta", "history_only", "simpler_model"} < set(values)


def test_history_only_is_acceptance_times_completion(evaluated: Evaluated) -> None:
    """The rule ranks by the record of 30 days, and who has none goes last."""
    rows = evaluated.cases.rows
    score = rules.predictions(evaluated.cases)["history_only"].score
    record = rows[rules.ACCEPTANCE] * rows[rules.COMPLETION]
    np.testing.assert_allclose(score[record.notna()], record.dropna())
    assert np.isneginf(score[record.isna()]).all()


@pytest.mark.parametrize(
    ("rule", "feature"), [("nearest", rules.DISTANCE), ("lowest_eta", rules.ETA)]
)
def test_near_and_soon_come_first(evaluated: Evaluated, rule: str, feature: str) -> None:
    """The rules prefer the smaller value, and who is nowhere goes last."""
    rows = evaluated.cases.rows.copy()
    rows.loc[0, feature] = np.nan
    score = rules.predictions(replace(evaluated.cases, rows=rows))[rule].score
    unknown = rows[feature].isna()
    assert unknown[0]
    assert np.isneginf(score[unknown]).all()
    np.testing.assert_allclose(score[~unknown], -rows.loc[~unknown, feature], rtol=1e-6)


def test_what_was_measured_on_is_counted(evaluated: Evaluated, training_set: pd.DataFrame) -> None:
    """Offers learned from, tested on, and the Brier score of one chance for all, r (1 - r)."""
    labelled = training_set[training_set["grade"].notna()]
    of_split = labelled["split"].value_counts()
    size = evaluated.results.size
    assert (size.trained_offers, size.offers) == (of_split["train"], of_split["test"])
    rate = labelled.loc[labelled["split"] == "test", "success"].astype(float).mean()
    assert evaluated.results.base_rate_brier == pytest.approx(rate * (1 - rate))
    assert evaluated.results.contenders["model"]["success_rate"].value == pytest.approx(rate)


def test_the_gap_closed_is_between_nearest_and_oracle(evaluated: Evaluated) -> None:
    """Half-way from the nearest to the best possible is a half."""
    between = dict(zip(("nearest", "model", "oracle"), (0.3, 0.5, 0.7), strict=True))
    contenders = {
        name: {**measured, "true_success_at_1": Estimate(between.get(name, 0.4), 0, 1)}
        for name, measured in evaluated.results.contenders.items()
    }
    found = evaluate.metrics(replace(evaluated.results, contenders=contenders))
    assert found["true_share_of_gap_closed"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("name", "difference", "is_better"),
    [
        ("true_success_at_1", 0.1, True),
        ("ndcg_at_1", -0.1, False),
        ("success_brier", -0.1, True),
        ("eta_mae_min", -0.1, True),
        ("eta_mae_min", 0.1, False),
    ],
)
def test_each_metric_that_decides_has_its_better_side(
    name: str, difference: float, is_better: bool
) -> None:
    """Success and order are better when larger, errors when smaller."""
    nothing = dict.fromkeys(verdicts.JUDGED, Estimate(0.0, -0.1, 0.1))
    low, high = difference - 0.05, difference + 0.05
    found = verdicts.of({**nothing, name: Estimate(difference, low, high)})
    assert (found.better, found.worse) == (((name,), ()) if is_better else ((), (name,)))


def test_the_models_say_more_than_five_features(evaluated: Evaluated) -> None:
    """On the small archive the boosted models know arrivals better than the formula."""
    gained = evaluated.results.model_less["simpler_model"]["eta_mae_min"]
    assert gained.high < 0


def test_the_bundle_gets_the_names_that_are_read(evaluated: Evaluated) -> None:
    """The short list has every name that the summary and the model card look for, all finite."""
    found = evaluate.metrics(evaluated.results)
    assert {
        *(f"ndcg_at_{at}_{rule}" for at in (1, 5) for rule in ("model", "nearest", "lowest_eta")),
        *(f"true_success_at_1_{rule}" for rule in ("model", "nearest", "lowest_eta", "oracle")),
        "success_brier",
        "success_calibration_error",
        "eta_mae_min",
        "eta_mae_min_of_formula",
        "eta_p90_coverage",
        "true_share_of_gap_closed",
        "test_events",
        "test_offers",
    } <= set(found)
    assert np.isfinite(list(found.values())).all()


def test_an_archive_without_truth_is_measured_all_the_same(
    training_set: pd.DataFrame, trained: TrainedModels
) -> None:
    """Where nobody knows the true chances, there is no oracle, and NDCG decides."""
    blind = training_set.drop(columns="success_probability")
    results = evaluate.evaluate(blind, trained, 7, quick=True).results
    assert rules.ORACLE not in results.contenders
    assert results.decisive == "ndcg_at_1"
    assert not any("true" in name for name in evaluate.metrics(results))


def test_nothing_to_measure_on_is_refused(training_set: pd.DataFrame) -> None:
    """A test split without labels is refused with what to do."""
    unlabelled = training_set.assign(grade=np.nan)
    with pytest.raises(DataError, match="take an archive of more hours"):
        select_cases(unlabelled)
    with pytest.raises(DataError, match=r"python -m training\.dataset"):
        select_cases(training_set.drop(columns="cell"))
