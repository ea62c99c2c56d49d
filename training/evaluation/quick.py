"""What each training measures of itself: all that needs no further training or retrieval."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from training import tuning
from training.evaluation import evaluate, report
from training.evaluation.results import Results
from training.files import EVALUATION
from training.models import TrainedModels


def write(frame: pd.DataFrame, trained: TrainedModels, seed: int, work: Path) -> Results:
    """Measure the models; leave ``metrics.json`` and the page in the work directory.

    Args:
        frame: The training set, test rows included.
        trained: Trained on its other rows.
        seed: The same seed gives the same intervals.
        work: Where the models are.

    Raises:
        DataError: The test split has nothing to measure on.
    """
    measured = evaluate.evaluate(frame, trained, seed, quick=True).results
    results = replace(measured, tuning=tuning.load(work))
    evaluate.save(evaluate.metrics(results), work)
    report.write(results, work / EVALUATION)
    return results
