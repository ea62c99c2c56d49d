"""The simple rules that the model must beat, and the oracle that nothing can."""

import numpy as np
import pandas as pd

from training.evaluation.cases import TRUTH, Cases, Predictions
from training.evaluation.intervals import Floats

DISTANCE, ETA = "request_time__driver_distance_km", "request_time__eta_min"
ACCEPTANCE = "provider_history__acceptance_rate_30d"
COMPLETION = "provider_history__completion_rate_30d"
RULES = ("nearest", "lowest_eta", "history_only")
ORACLE = "oracle"


def predictions(cases: Cases) -> dict[str, Predictions]:
    """Return what each rule says; the oracle only where the truth is known."""
    rows = cases.rows
    said = {
        "nearest": Predictions(-_known(rows[DISTANCE], np.inf)),
        "lowest_eta": Predictions(
            -_known(rows[ETA], np.inf), minutes=rows[ETA].to_numpy(dtype=np.float64)
        ),
        "history_only": Predictions(_known(rows[ACCEPTANCE] * rows[COMPLETION], -np.inf)),
    }
    if TRUTH in rows:
        said[ORACLE] = Predictions(_known(rows[TRUTH], -np.inf))
    return said


def _known(values: pd.Series, otherwise: float) -> Floats:
    """Return the values, float64 [n]; what is unknown goes last."""
    return values.fillna(otherwise).to_numpy(dtype=np.float64)
