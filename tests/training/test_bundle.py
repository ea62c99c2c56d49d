"""Models and the bundle that is made of them."""

from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest

from feature_repo import bundle_manifest
from feature_repo.model_matrix import MODEL_FEATURES
from tests.training.conftest import Prepared
from training import bundle, models
from training.errors import DataError
from training.evaluation import evaluate
from training.files import TRAINING_SET, write_part
from training.models import TrainedModels

MADE = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def metrics(training_set: pd.DataFrame, trained: TrainedModels) -> evaluate.Metrics:
    """What evaluation measures on the small archive."""
    return evaluate.metrics(evaluate.evaluate(training_set, trained, 7, quick=True).results)


def test_the_ranker_beats_the_nearest_rule(metrics: evaluate.Metrics) -> None:
    """The model's first choices truly succeed more often than the nearest and lowest-ETA ones."""
    model = metrics["true_success_at_1_model"]
    assert model > metrics["true_success_at_1_nearest"] + 0.03
    assert model > metrics["true_success_at_1_lowest_eta"] + 0.03
    assert model < metrics["true_success_at_1_oracle"]


def test_the_models_know_more_than_base_rates(metrics: evaluate.Metrics) -> None:
    """Chances beat the base rate, arrival times the formula, and p90 covers about 90 %."""
    assert metrics["success_brier"] < metrics["success_brier_of_base_rate"]
    assert metrics["eta_mae_min"] < metrics["eta_mae_min_of_formula"]
    assert 0.75 < metrics["eta_p90_coverage"] <= 1


def test_same_data_and_seed_same_bundle(
    prepared: Prepared, training_set: pd.DataFrame, trained: TrainedModels, tmp_path: Path
) -> None:
    """Training twice gives the same bytes; another seed gives another version."""
    versions, contents = [], []
    for name, seed in (("one", 7), ("two", 7), ("three", 8)):
        again = trained if name == "one" else models.train(training_set, seed)
        made = _bundle(prepared, training_set, again, tmp_path / name, seed)
        versions.append(bundle_manifest.load(made).version)
        contents.append({path.name: path.read_bytes() for path in made.iterdir()})
    assert versions[0] == versions[1] != versions[2]
    assert contents[0] == contents[1]


def test_a_bundle_says_what_it_is(
    prepared: Prepared, training_set: pd.DataFrame, trained: TrainedModels, tmp_path: Path
) -> None:
    """The directory has manifest, reference of every feature, and a card without gaps."""
    made = _bundle(prepared, training_set, trained, tmp_path / "bundle", 7)
    manifest = bundle_manifest.load(made)
    assert manifest.features == MODEL_FEATURES
    assert all(np.isfinite(list(manifest.metrics.values())))
    reference = msgspec.json.decode((made / bundle_manifest.REFERENCE_NAME).read_bytes())
    assert tuple(reference["features"]) == MODEL_FEATURES
    card = (made / bundle_manifest.MODEL_CARD_NAME).read_text()
    assert manifest.version in card
    assert "$" not in card


def test_a_bundle_replaces_the_old_one_whole(
    prepared: Prepared, training_set: pd.DataFrame, trained: TrainedModels, tmp_path: Path
) -> None:
    """Files of an older bundle do not stay beside the new ones."""
    directory = tmp_path / "bundle"
    directory.mkdir()
    (directory / "old.cbm").touch()
    made = _bundle(prepared, training_set, trained, directory, 7)
    assert not (made / "old.cbm").exists()


def test_a_step_left_out_is_named(tmp_path: Path, training_set: pd.DataFrame) -> None:
    """Bundling before training says which step to run."""
    write_part(training_set.head(5), tmp_path / TRAINING_SET, date(2026, 1, 5))
    with pytest.raises(DataError, match=r"python -m training\.models"):
        bundle.build(tmp_path, tmp_path / "bundle", 7)


def test_saved_models_predict_as_before(
    training_set: pd.DataFrame, trained: TrainedModels, tmp_path: Path
) -> None:
    """Models survive the way through their files."""
    models.save(trained, tmp_path)
    rows = models.matrix(training_set.head(50))
    loaded = models.load(tmp_path)
    np.testing.assert_array_equal(loaded.ranker.predict(rows), trained.ranker.predict(rows))
    assert loaded.calibration == trained.calibration


def test_weights_are_inverse_cut_and_scaled() -> None:
    """Weights fall with propensity, average one, and one rare offer cannot outweigh all."""
    found = models.weights(np.array([0.5, 0.25, 0.5]))
    np.testing.assert_allclose(found, [0.75, 1.5, 0.75])
    rare = models.weights(np.array([*[0.5] * 999, 1e-9]))
    assert rare.max() / rare.sum() < 0.011
    assert rare.mean() == pytest.approx(1)


def test_too_little_data_is_refused(training_set: pd.DataFrame) -> None:
    """A handful of offers is refused with what is needed."""
    with pytest.raises(DataError, match="take an archive of more hours"):
        models.train(training_set.groupby("split").head(5), 7)


def _bundle(
    prepared: Prepared, frame: pd.DataFrame, trained: TrainedModels, directory: Path, seed: int
) -> Path:
    models.save(trained, prepared.work)
    found = evaluate.evaluate(frame, trained, seed, quick=True).results
    evaluate.save(evaluate.metrics(found), prepared.work)
    return bundle.build(prepared.work, directory, seed, MADE)
