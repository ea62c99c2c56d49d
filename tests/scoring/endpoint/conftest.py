"""One small bundle for all of the endpoint's tests: training takes a second, loading none."""

from pathlib import Path

import pytest

from scoring.endpoint.bundle import load_scorer
from scoring.endpoint.scorer import Scorer
from tests.support.bundles import make_bundle


@pytest.fixture(scope="session")
def bundle_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that nobody may change; copy it first."""
    directory = tmp_path_factory.mktemp("bundle")
    make_bundle(directory)
    return directory


@pytest.fixture(scope="session")
def scorer(bundle_directory: Path) -> Scorer:
    """The bundle, loaded."""
    return load_scorer(bundle_directory)
