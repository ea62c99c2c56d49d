import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
from catboost import CatBoost, Pool

from feature_repo.model_matrix import MODEL_FEATURES
from scoring.endpoint.bundle import load_scorer
from scoring.endpoint.errors import BundleError
from tests.support.bundles import make_matrix


@pytest.fixture
def copy(bundle_directory: Path, tmp_path: Path) -> Path:
    """A bundle that the test may break."""
    return shutil.copytree(bundle_directory, tmp_path / "bundle")


def _edit_manifest(directory: Path, **changes: object) -> None:
    path = directory / "bundle.json"
    path.write_bytes(msgspec.json.encode({**msgspec.json.decode(path.read_bytes()), **changes}))


def test_a_whole_bundle_loads(bundle_directory: Path) -> None:
    """A whole bundle gives a scorer for the code's own feature list."""
    scorer = load_scorer(bundle_directory)
    assert scorer.feature_count == len(MODEL_FEATURES)
    assert scorer.manifest.version == "test-0-40"


@pytest.mark.parametrize("name", ["bundle.json", "ranker.cbm", "success.cbm"])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    """A bundle without one of its files is refused, and the message names the file."""
    (copy / name).unlink()
    with pytest.raises(BundleError, match=name):
        load_scorer(copy)


def test_another_fingerprint_is_refused(copy: Path) -> None:
    """A bundle trained on another feature list is refused with both fingerprints."""
    _edit_manifest(copy, features_fingerprint="0123456789abcdef")
    with pytest.raises(BundleError, match=r"features_fingerprint.*0123456789abcdef.*train it"):
        load_scorer(copy)


@pytest.mark.parametrize(
    ("features", "position"),
    [
        (MODEL_FEATURES[:5] + MODEL_FEATURES[6:] + MODEL_FEATURES[5:6], 5),
        (MODEL_FEATURES[:-1], len(MODEL_FEATURES) - 1),
    ],
)
def test_another_feature_list_is_refused(
    copy: Path, features: tuple[str, ...], position: int
) -> None:
    """A manifest whose list is not the code's is refused, with the first position that differs."""
    _edit_manifest(copy, features=features)
    with pytest.raises(BundleError, match=f"position {position} "):
        load_scorer(copy)


def test_a_model_of_other_features_is_refused(copy: Path) -> None:
    """A model file trained on other columns than the manifest's is refused, and named."""
    model = CatBoost({"iterations": 2, "allow_writing_files": False, "verbose": False})
    model.fit(np.random.default_rng(0).normal(size=(30, 4)), np.arange(30.0))
    model.save_model(str(copy / "eta_p90.cbm"))
    with pytest.raises(BundleError, match=r"eta_p90.*4 features"):
        load_scorer(copy)


def test_a_broken_model_file_is_refused(copy: Path) -> None:
    """A model file that CatBoost cannot read is refused, and named."""
    (copy / "eta_p50.cbm").write_bytes(b"not a model")
    with pytest.raises(BundleError, match=r"eta_p50.*cannot be read"):
        load_scorer(copy)


def test_a_loaded_model_scores_as_its_file_does(bundle_directory: Path) -> None:
    """What loading drops from a model for speed does not change a score by a bit."""
    matrix = make_matrix(50, seed=4)
    whole = CatBoost().load_model(str(bundle_directory / "ranker.cbm"))
    expected = whole.predict(Pool(matrix), prediction_type="RawFormulaVal")
    scorer = load_scorer(bundle_directory)
    assert (scorer.score(matrix).scores == expected.astype(np.float32)).all()
    assert "params" in whole.get_metadata()
    assert "params" not in scorer._ranker.get_metadata()
