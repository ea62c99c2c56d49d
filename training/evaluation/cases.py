"""The cases to measure on: the test rows, their events, and what a model says of each row."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.errors import DataError
from training.evaluation.intervals import Floats
from training.models import TrainedModels, matrix, raw_probability
from training.selection import TEST

Int64s = npt.NDArray[np.int64]
TRUTH = "success_probability"
"""Column of the true chance of success; only an archive of the simulator has it."""


def summed(event: Int64s, values: Floats, events: int) -> Floats:
    """Return the sum of the values of each event, float64 [events]."""
    return np.bincount(event, weights=values, minlength=events).astype(np.float64)


@dataclass(frozen=True)
class Cases:
    """The test rows.

    Attributes:
        rows: The candidates, n of them, sorted by event and provider: an order that says nothing
            of the log's own preference, so equal scores are not settled by it.
        event: Number of each row's event, int64 [n], ascending.
        events: How many events there are, E.
    """

    rows: pd.DataFrame
    event: Int64s
    events: int

    @property
    def labelled(self) -> npt.NDArray[np.bool_]:
        """Whether a row was offered and its label is final, bool [n]."""
        return self.rows["grade"].notna().to_numpy()

    @property
    def first_rows(self) -> Int64s:
        """Position of the first row of each event, int64 [E]."""
        return np.searchsorted(self.event, np.arange(self.events))

    def of_event(self, values: Floats) -> Floats:
        """Return the sum of a value over the rows of each event, float64 [E]."""
        return summed(self.event, values, self.events)


@dataclass(frozen=True)
class Predictions:
    """What a model or a rule says of n rows.

    Attributes:
        score: The higher, the better, float64 [n]; unknown is minus infinity.
        chance: Chance of success, float64 [n]; None if it gives none.
        minutes: Minutes from offer to arrival, the median, float64 [n]; None likewise.
        minutes_p90: Minutes within which nine of ten arrive, float64 [n]; None likewise.
    """

    score: Floats
    chance: Floats | None = None
    minutes: Floats | None = None
    minutes_p90: Floats | None = None


def select_cases(frame: pd.DataFrame) -> Cases:
    """Return the test rows of a training set.

    Raises:
        DataError: The split has no labelled offers or no arrivals, or a column is missing.
    """
    if "cell" not in frame:
        raise DataError("column 'cell' is missing: make it again with `python -m training.dataset`")
    rows = frame[frame["split"] == TEST].sort_values(["event_id", "provider_id"])
    rows = rows.reset_index(drop=True)
    for column, kind in (("grade", "labelled offers"), ("minutes_to_arrival", "arrivals")):
        if not rows[column].notna().any():
            raise DataError(f"split 'test' has no {kind}: take an archive of more hours")
    event, names = pd.factorize(rows["event_id"])
    return Cases(rows, event.astype(np.int64), len(names))


def predict(models: TrainedModels, rows: pd.DataFrame) -> Predictions:
    """Return what the models say of the rows."""
    return predict_matrix(models, matrix(rows))


def predict_matrix(models: TrainedModels, features: npt.NDArray[np.float32]) -> Predictions:
    """Return what the models say of a model matrix, float32 [n, len(MODEL_FEATURES)]."""
    median = np.asarray(models.eta_p50.predict(features), dtype=np.float64)
    p90 = np.asarray(models.eta_p90.predict(features), dtype=np.float64)
    calibration = models.calibration
    return Predictions(
        score=np.asarray(models.ranker.predict(features), dtype=np.float64),
        chance=np.interp(raw_probability(models.success, features), calibration.x, calibration.y),
        minutes=median,
        minutes_p90=np.maximum(median, p90),  # two models may cross; serving never shows that
    )
