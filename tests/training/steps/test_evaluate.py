"""Bundles as training packs them."""

import tarfile
from pathlib import Path

import pytest

from feature_repo.bundle_manifest import BundleError
from tests.support.bundles import make_bundle
from training.errors import DataError
from training.steps import evaluate


def _pack(bundle: Path, directory: Path) -> None:
    directory.mkdir()
    with tarfile.open(directory / evaluate.ARCHIVE, "w:gz") as archive:
        archive.add(bundle, arcname=".")


def test_a_bundle_comes_out_of_its_archive(tmp_path: Path) -> None:
    """Its version and all four models are loaded."""
    manifest = make_bundle(tmp_path / "bundle", iterations=5)
    _pack(tmp_path / "bundle", tmp_path / "model")
    packed = evaluate.unpack(tmp_path / "model")
    assert packed is not None
    assert packed.version == manifest.version
    assert packed.models.ranker.tree_count_ == 5
    assert packed.models.calibration == manifest.calibration


def test_no_archive_is_no_incumbent(tmp_path: Path) -> None:
    """Before the first promotion there is none, whatever else lies there."""
    (tmp_path / "none").touch()
    assert evaluate.unpack(tmp_path) is None


def test_a_broken_archive_is_named(tmp_path: Path) -> None:
    """An archive that cannot be unpacked is an error with its path, not "no incumbent"."""
    (tmp_path / evaluate.ARCHIVE).write_bytes(b"not gzip")
    with pytest.raises(DataError, match=r"model\.tar\.gz cannot be read"):
        evaluate.unpack(tmp_path)


def test_an_archive_of_something_else_is_refused(tmp_path: Path) -> None:
    """A model that is no bundle cannot be compared with."""
    (tmp_path / "other").mkdir()
    _pack(tmp_path / "other", tmp_path / "model")
    with pytest.raises(BundleError, match=r"bundle\.json is missing"):
        evaluate.unpack(tmp_path / "model")
