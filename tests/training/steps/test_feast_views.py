"""Views registered for one job."""

import shutil
from pathlib import Path

import pytest

from training.errors import DataError
from training.retrieval import open_store
from training.steps import feast_views


def test_the_views_read_the_given_rows(tmp_path: Path) -> None:
    """What is registered reads these offline rows, and no others."""
    repository = feast_views.register(tmp_path / "offline", tmp_path / "feature_repo")
    open_store(repository, tmp_path / "offline")
    with pytest.raises(DataError, match="reads"):
        open_store(repository, tmp_path / "other")


def test_what_feast_says_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failing `feast apply` ends in an error with its own words."""
    declared = tmp_path / "declared"
    declared.mkdir()
    shutil.copy(feast_views._DECLARED / "feature_store.yaml", declared)
    (declared / "views.py").write_text("raise ValueError('a broken view')\n")
    monkeypatch.setattr(feast_views, "_DECLARED", declared)
    with pytest.raises(DataError, match="a broken view"):
        feast_views.register(tmp_path / "offline", tmp_path / "feature_repo")
