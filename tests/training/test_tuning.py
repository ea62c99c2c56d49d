"""The search of hyper-parameters."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training import models, tuning
from training.models import DEFAULTS, Hyperparameters, TrainedModels
from training.tuning import Trial, Tuning


@pytest.fixture(autouse=True)
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train quickly: what is searched does not depend on how many trees there are."""
    monkeypatch.setitem(models._COMMON, "iterations", 20)


def test_the_same_seed_tries_the_same_and_never_the_test_split(
    training_set: pd.DataFrame,
) -> None:
    """Two trials are tried beside the defaults, whatever stands in the test rows."""
    asked: list[str] = []
    first = tuning.search(training_set, 7, trials=2, minutes=10, progress=asked.append)
    spoilt = training_set.assign(
        success=training_set["success"].where(training_set["split"] != "test", True),
        grade=training_set["grade"].where(training_set["split"] != "test", 4.0),
    )
    again = tuning.search(spoilt, 7, trials=2, minutes=10)
    assert first.trials == again.trials
    assert first.trials[0].hyperparameters == DEFAULTS
    assert first.trials[1].hyperparameters != first.trials[2].hyperparameters
    assert asked == ["defaults", "trial 1 of 2", "trial 2 of 2"]


def test_no_minutes_is_no_trial(training_set: pd.DataFrame) -> None:
    """A budget that is spent leaves the defaults, which are then the best."""
    found = tuning.search(training_set, 7, trials=5, minutes=0)
    assert [trial.hyperparameters for trial in found.trials] == [DEFAULTS]
    assert found.best.relative == 1


def test_losses_are_relative_to_the_defaults(training_set: pd.DataFrame) -> None:
    """A trial's relative loss is the mean of its models' losses over those of the defaults."""
    plain, tried = tuning.search(training_set, 7, trials=1, minutes=10).trials
    ratios = [tried.losses[role] / plain.losses[role] for role in plain.losses]
    assert tried.relative == pytest.approx(np.mean(ratios))
    assert set(plain.losses) == {"ranker", "eta_p50", "eta_p90", "success"}


def test_the_best_is_the_lowest_and_told(trained: TrainedModels, tmp_path: Path) -> None:
    """The lowest relative loss is chosen; file and sentence say what was gained."""
    better = Trial(Hyperparameters(depth=5), {"ranker": 0.45}, 0.9)
    found = Tuning((Trial(DEFAULTS, {"ranker": 0.5}, 1.0), better), 3.0)
    assert found.best == better
    assert "10.00% below" in tuning.describe(found)
    models.save(trained, tmp_path)
    tuning.save(found, tmp_path)
    assert tuning.load(tmp_path) == found
    models.save(trained, tmp_path)
    assert tuning.load(tmp_path) is None
