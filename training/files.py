"""The files by which the steps hand on their work."""

from pathlib import Path

import pandas as pd
import pyarrow as pa

from training.errors import DataError

DECISIONS = "decisions"
OUTCOMES = "outcomes"
TRUTH = "truth"
"""Only an archive of the simulator has it: each candidate's true chance of success.

These three are folders of an archive, with a part for each day: ``date=YYYY-MM-DD/*.parquet``.
"""
LABELS = "labels.parquet"
TRAINING_SET = "training_set.parquet"
MODELS = "models"
CALIBRATION = "calibration.json"
TUNING = "tuning.json"
"""Beside the models, where their hyper-parameters were searched for."""
METRICS = "metrics.json"
EVALUATION = "evaluation.html"


def read_frame(path: Path, origin: str) -> pd.DataFrame:
    """Read a Parquet file, or all those of a table's folder.

    Args:
        path: The file or the folder.
        origin: What makes it, for the message when it is not there.

    Raises:
        DataError: It is not there or cannot be read.
    """
    if not (path.is_file() or any(path.glob("date=*/*.parquet"))):
        raise DataError(f"{path} isn't there; make it with {origin}")
    try:
        # the folder's name repeats what the rows' own times say
        return pd.read_parquet(path, partitioning=None)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} cannot be read ({error}); make it again with {origin}") from error


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write a Parquet file, making its directory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(path, index=False)
