"""The table that an archive gives: whole events, first offers, policies that choose one each."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.training.conftest import Prepared
from training import models
from training.evaluation import cases
from training.files import TRAINING_SET, write_part
from training.models import TrainedModels
from training.off_policy import from_archive
from training.off_policy.__main__ import main
from training.selection import TEST


def test_a_policy_offers_to_its_best_the_first_of_equals() -> None:
    """Each event gets one choice, wherever its rows stand; a tie goes to the earlier row."""
    score, event = np.array([1.0, 5.0, 3.0, 2.0, 3.0]), np.array([0, 1, 0, 1, 0])
    chosen = from_archive.first_choice(score, event)
    np.testing.assert_array_equal(chosen, [0.0, 1.0, 1.0, 0.0, 0.0])


def test_events_that_miss_a_candidate_or_a_label_are_left_out() -> None:
    """Only whole events with a label of the first offer stay, with their propensities."""
    keys = [(name, provider) for name in ("whole", "part", "late") for provider in "AB"]
    keys += [("open", "A")]
    decisions = pd.DataFrame(keys, columns=["event_id", "provider_id"]).assign(
        propensity=[0.7, 0.3, 0.6, 0.4, 0.5, 0.5, 1.0]
    )
    # of "late" only the second offer has a label
    test = decisions.drop(columns="propensity").assign(
        offer_rank=[0, 1, 1, 0, 1, 2, 1],
        success=[None, True, False, None, None, True, None],
    )
    found = from_archive.whole_events(test.drop(index=3), decisions)
    assert found["event_id"].tolist() == ["whole", "whole"]
    assert found["propensity"].tolist() == [0.7, 0.3]


def test_the_table_has_each_policys_choice_in_the_tested_events(
    prepared: Prepared, training_set: pd.DataFrame, trained: TrainedModels, tmp_path: Path
) -> None:
    """Nearest, lowest ETA and the model's best are chosen; predictions are calibrated chances."""
    write_part(training_set, tmp_path / TRAINING_SET, date(2026, 1, 5))
    models.save(trained, tmp_path)
    table = from_archive.build(prepared.data, tmp_path)
    rows = table[["event_id", "provider_id"]].merge(training_set, on=["event_id", "provider_id"])
    assert set(rows["split"]) == {TEST}
    said = cases.predict(trained, rows)
    assert said.chance is not None
    np.testing.assert_allclose(table[from_archive.PREDICTION], said.chance)
    best = {
        "model": said.score,
        "nearest": -rows["request_time__driver_distance_km"].to_numpy(),
        "lowest_eta": -rows["request_time__eta_min"].to_numpy(),
    }
    for policy, score in best.items():
        highest = pd.Series(score).groupby(table["event_id"]).transform("max")
        assert (score[table[policy] == 1] == highest[table[policy] == 1]).all()
        assert (table.groupby("event_id")[policy].sum() == 1).all()
    sizes = table.groupby("event_id")["event_id"].transform("size")
    np.testing.assert_allclose(table["uniform"], 1 / sizes)


def test_an_archive_can_be_put_through_the_command(
    prepared: Prepared, training_set: pd.DataFrame, trained: TrainedModels, tmp_path: Path
) -> None:
    """The table of an archive is a log that the command accepts as it stands, later offers and all.

    Its few decisions say little of a policy that always takes its first choice, which is refused.
    """
    write_part(training_set, tmp_path / TRAINING_SET, date(2026, 1, 5))
    models.save(trained, tmp_path)
    log = tmp_path / "log.parquet"
    arguments = ["--data", str(prepared.data), "--work", str(tmp_path), "--out", str(log)]
    assert from_archive.main(arguments) == 0
    table = pd.read_parquet(log)
    assert (table["offer_rank"] > 1).any()
    assert set(table["event_id"]) < set(training_set["event_id"])
    options = ["--policies", "uniform", "propensity", "--prediction", "prediction"]
    limit = ["--least-effective-sample-size", "5", "--out", str(tmp_path)]
    assert main([str(log), *options, *limit]) == 0
    found = pd.read_csv(tmp_path / "estimates.csv").set_index(["policy", "estimator"])["value"]
    first = table[table["offer_rank"] == 1]["success"].astype(float)
    assert found["propensity", "IPS"] == pytest.approx(first.mean())
    with pytest.raises(SystemExit) as ended:
        main([str(log), "--policies", "model"])
    assert ended.value.code == 3
