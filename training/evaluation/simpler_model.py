"""A model that fits on a card: is the boosted one worth its weight?

Logistic regression on five features that a dispatcher would name, trained on the same offers with
the same weights. Its chance of success is its score, and its minutes are the ETA formula's.
"""

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from training.evaluation.cases import Predictions
from training.evaluation.rules import ACCEPTANCE, COMPLETION, ETA
from training.models import weights
from training.selection import TRAIN

FEATURES = (
    ETA,
    "request_time__eta_margin_min",
    "request_time__is_available",
    ACCEPTANCE,
    COMPLETION,
)


def train(frame: pd.DataFrame) -> Pipeline:
    """Fit the success of the labelled rows of the train split."""
    rows = frame[frame["grade"].notna() & (frame["split"] == TRAIN)]
    model = make_pipeline(
        # a feature that no row knows stays, as a constant: the model has its shape anyway
        SimpleImputer(strategy="median", keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(),
    )
    weight = weights(rows["stage_propensity"].to_numpy(dtype=np.float64))
    return model.fit(
        rows[list(FEATURES)].to_numpy(dtype=np.float64),
        rows["success"].astype(int).to_numpy(),
        logisticregression__sample_weight=weight,
    )


def predict(model: Pipeline, rows: pd.DataFrame) -> Predictions:
    """Return what the simple model says of the rows."""
    chance = model.predict_proba(rows[list(FEATURES)].to_numpy(dtype=np.float64))[:, 1]
    return Predictions(
        score=np.asarray(chance, dtype=np.float64),
        chance=np.asarray(chance, dtype=np.float64),
        minutes=rows[ETA].to_numpy(dtype=np.float64),
    )
