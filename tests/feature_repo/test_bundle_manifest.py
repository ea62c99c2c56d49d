"""The manifest of a model bundle."""

from pathlib import Path

import msgspec
import pytest

from feature_repo import bundle_manifest
from feature_repo.bundle_manifest import BundleError, BundleManifest, Calibration, ModelFiles
from feature_repo.model_matrix import MODEL_FEATURES, MODEL_FINGERPRINT


@pytest.fixture
def manifest(tmp_path: Path) -> BundleManifest:
    """A sound manifest, with its (empty) model files in ``tmp_path``."""
    for name in msgspec.structs.astuple(ModelFiles()):
        (tmp_path / name).touch()
    return BundleManifest(
        version="abc",
        created_at="2026-01-01T00:00:00+00:00",
        seed=7,
        features=MODEL_FEATURES,
        features_fingerprint=MODEL_FINGERPRINT,
        metrics={"ndcg_at_1": 0.5},
        calibration=Calibration(x=(0.0, 1.0), y=(0.1, 0.9)),
        models=ModelFiles(),
    )


def test_what_is_saved_is_loaded(manifest: BundleManifest, tmp_path: Path) -> None:
    """A manifest survives the way through its file unchanged."""
    bundle_manifest.save(manifest, tmp_path)
    assert bundle_manifest.load(tmp_path) == manifest


def test_no_bundle_says_how_to_make_one(tmp_path: Path) -> None:
    """An empty directory is refused with the command that fills it."""
    with pytest.raises(BundleError, match=r"python -m training\.run"):
        bundle_manifest.load(tmp_path)


def test_another_feature_list_is_refused(manifest: BundleManifest, tmp_path: Path) -> None:
    """A bundle trained on other features is refused instead of scoring nonsense."""
    bundle_manifest.save(manifest, tmp_path)
    path = tmp_path / bundle_manifest.MANIFEST_NAME
    path.write_text(path.read_text().replace(MODEL_FINGERPRINT, "0000000000000000"))
    with pytest.raises(BundleError, match="another feature list"):
        bundle_manifest.load(tmp_path)


def test_a_missing_model_is_named(manifest: BundleManifest, tmp_path: Path) -> None:
    """A model file that is gone is named."""
    bundle_manifest.save(manifest, tmp_path)
    (tmp_path / "eta_p90.cbm").unlink()
    with pytest.raises(BundleError, match=r"models\.eta_p90 names 'eta_p90\.cbm'"):
        bundle_manifest.load(tmp_path)


def test_a_broken_manifest_names_the_field(manifest: BundleManifest, tmp_path: Path) -> None:
    """A manifest with a wrong type is refused with the field's path."""
    bundle_manifest.save(manifest, tmp_path)
    path = tmp_path / bundle_manifest.MANIFEST_NAME
    path.write_text(path.read_text().replace('"seed": 7', '"seed": "seven"'))
    with pytest.raises(BundleError, match=r"\$\.seed"):
        bundle_manifest.load(tmp_path)


def test_a_calibration_that_descends_is_refused(manifest: BundleManifest, tmp_path: Path) -> None:
    """A calibration that numpy.interp would read wrongly is not published."""
    bad = msgspec.structs.replace(manifest, calibration=Calibration(x=(1.0, 0.0), y=(0.1, 0.9)))
    with pytest.raises(BundleError, match="does not ascend"):
        bundle_manifest.save(bad, tmp_path)
