"""The small archive as a gateway would have served it, and its bundle."""

from pathlib import Path

import pytest

from tests.training.conftest import Prepared
from tests.training.monitoring import served_day
from tests.training.monitoring.served_day import Archive, Job
from training import bundle, models
from training.evaluation import evaluate
from training.models import TrainedModels


@pytest.fixture(scope="session")
def archive(prepared: Prepared, trained: TrainedModels) -> Archive:
    """Every candidate, with features that equal history's."""
    return served_day.serve(prepared, trained)


@pytest.fixture(scope="session")
def bundle_directory(
    prepared: Prepared,
    training_set: object,  # noqa: ARG001 - its file is read
    trained: TrainedModels,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The bundle that served."""
    models.save(trained, prepared.work)
    evaluate.save({}, prepared.work)
    return bundle.build(prepared.work, tmp_path_factory.mktemp("monitored") / "bundle", 7)


@pytest.fixture
def job(archive: Archive, bundle_directory: Path, prepared: Prepared, tmp_path: Path) -> Job:
    """The daily job over a directory of its own."""
    return Job(archive, bundle_directory, prepared, tmp_path)
