"""The logistic regression that the boosted models must beat."""

import numpy as np
import pandas as pd
import pytest

from training.evaluation import simpler_model
from training.evaluation.rules import ETA


def _frame(split: str, success: list[bool], propensity: list[float]) -> pd.DataFrame:
    alike = dict.fromkeys(simpler_model.FEATURES, 7.0)
    rows = pd.DataFrame({"success": success, "stage_propensity": propensity, "split": split})
    return rows.assign(grade=np.where(rows["success"], 4.0, 0.0), **alike)


def test_offers_count_by_their_inverse_propensity_and_only_those_of_the_past() -> None:
    """Where no feature tells anything the chance is the weighted share of the train split.

    40 successes that the log made with 0.8 against 60 failures with 0.4: 50 / (50 + 150). What the
    test split has changes nothing.
    """
    learned = _frame("train", [True] * 40 + [False] * 60, [0.8] * 40 + [0.4] * 60)
    tested = _frame("test", [True] * 500, [0.5] * 500)
    model = simpler_model.train(pd.concat([learned, tested], ignore_index=True))
    said = simpler_model.predict(model, tested.head(2))
    assert said.chance == pytest.approx([0.25, 0.25], abs=1e-3)
    assert said.minutes == pytest.approx(tested[ETA].head(2))
    assert said.minutes_p90 is None
