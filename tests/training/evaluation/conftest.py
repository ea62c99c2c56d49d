"""What evaluation finds on the small archive, once."""

import pandas as pd
import pytest

from training.evaluation import evaluate
from training.evaluation.evaluate import Evaluated
from training.models import TrainedModels


@pytest.fixture(scope="session")
def evaluated(training_set: pd.DataFrame, trained: TrainedModels) -> Evaluated:
    """The quick evaluation of the small archive."""
    return evaluate.evaluate(training_set, trained, 7, quick=True)
