"""A small archive with offline rows and a Feast repository over it, made once."""

import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from feature_repo.schema import VIEWS
from simulator import history
from simulator.history import Span
from simulator.reports import Intervals
from simulator.world import WorldSettings
from tests.training.offline_rows import write_stream_views
from training import dataset, labels, models
from training.evaluation import evaluate
from training.evaluation.evaluate import Evaluated
from training.models import TrainedModels

_START_S = 1_767_625_200.0
"""2026-01-05 15:00 UTC: morning in Denver."""
_OPEN_S = 2.5 * 3600
ARCHIVE_END_S = _START_S + _OPEN_S + 5.8 * 3600
_STORE_YAML = """
project: roadside
provider: local
registry: registry.db
online_store: null
offline_store:
  type: feature_repo.offline.store.AsOfOfflineStore
entity_key_serialization_version: 3
"""


@dataclass(frozen=True)
class Prepared:
    """Where the archive, the Feast repository and the steps' files are."""

    data: Path
    feature_repo: Path
    work: Path


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """An archive of 150 providers with labels, registered in Feast."""
    root = tmp_path_factory.mktemp("training")
    places = Prepared(root / "data", root / "repo", root / "work")
    settings = WorldSettings(
        providers=150, seed=11, requests_per_hour=280, intervals=Intervals(60.0, 90.0, 120.0)
    )
    history.write(settings, Span(_START_S, _START_S + _OPEN_S, ARCHIVE_END_S), places.data)
    write_stream_views(places.data)
    _register(places)
    # of so small a world the last outcome is known hours before its end
    labels.build(places.data, places.work, datetime.fromtimestamp(ARCHIVE_END_S, UTC))
    return places


@pytest.fixture(scope="session")
def training_set(prepared: Prepared) -> pd.DataFrame:
    """The training set of the small archive, from Feast."""
    dataset.build(prepared.data, prepared.feature_repo, prepared.work)
    return dataset.read(prepared.work)


@pytest.fixture(scope="session")
def trained(training_set: pd.DataFrame) -> TrainedModels:
    """Models of the small archive."""
    return models.train(training_set, seed=7)


@pytest.fixture(scope="session")
def evaluated(training_set: pd.DataFrame, trained: TrainedModels) -> Evaluated:
    """The quick evaluation of the small archive."""
    return evaluate.evaluate(training_set, trained, 7, quick=True)


def _register(places: Prepared) -> None:
    places.feature_repo.mkdir()
    (places.feature_repo / "feature_store.yaml").write_text(_STORE_YAML)
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        # deprecations inside Feast and what it imports; not ours to mend
        warnings.simplefilter("ignore")
        patch.setenv("FEATURE_DATA_DIR", str(places.data / "offline"))
        from feast import FeatureStore  # noqa: PLC0415 - takes seconds

        from feature_repo import views  # noqa: PLC0415

        store = FeatureStore(repo_path=str(places.feature_repo))
        # the environment is read when a view is made, so these read this archive's rows
        made = [views._view(schema) for schema in VIEWS.values()]
        store.apply([*views.ENTITIES.values(), *made])
