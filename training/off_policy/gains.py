"""What one ranking's first choices are worth over others', from logged decisions alone.

Doubly robust and paired by decision. Only the first offer counts, as in ``from_archive``.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from training.errors import DataError
from training.off_policy import estimators, evaluation
from training.off_policy.estimators import Estimate, Floats
from training.off_policy.from_archive import PREDICTION, first_choice
from training.off_policy.table import Columns, logged_decisions

FEWEST_DECISIONS = 30
_SUM_TOLERANCE = 1e-3


def is_whole(test: pd.DataFrame) -> pd.Series:
    """Return for each row of a training set whether all of its event can be reasoned about.

    Every candidate is there, so the propensities sum to 1, and what became of the first offer is
    known.
    """
    first = (test["offer_rank"] == 1) & test["success"].notna()
    told = test.assign(first=first).groupby("event_id")[["propensity", "first"]].transform("sum")
    return (told["propensity"].sub(1).abs() <= _SUM_TOLERANCE) & (told["first"] == 1)


def of(
    test: pd.DataFrame, chance: Floats, scores: Mapping[str, Floats], ranking: str
) -> dict[str, Estimate]:
    """Return what a ranking gains over each other, in success of the first offer.

    Args:
        test: Test rows of a training set, n of them.
        chance: A reward model's chance of success, not fitted on these rows, float64 [n].
        scores: Each ranking's, the higher the better, float64 [n].
        ranking: One of them.

    Raises:
        DataError: Too few events can be reasoned about.
    """
    whole = is_whole(test).to_numpy()
    rows = test[whole]
    decisions = rows["event_id"].nunique()
    if decisions < FEWEST_DECISIONS:
        raise DataError(
            f"{decisions} test events have all of their candidates and a label of their first "
            f"offer, at least {FEWEST_DECISIONS} are needed: raise --whole-events, or take an "
            "archive of more hours"
        )
    event = pd.factorize(rows["event_id"])[0].astype(np.int64)
    chosen = {name: first_choice(score[whole], event) for name, score in scores.items()}
    table = rows.assign(
        success=rows["success"].astype("Float64"), **{PREDICTION: chance[whole]}, **chosen
    )
    return _paired(table, list(chosen), ranking)


def _paired(table: pd.DataFrame, names: Sequence[str], ranking: str) -> dict[str, Estimate]:
    log = logged_decisions(table, Columns(prediction=PREDICTION), list(names))
    found = {name: evaluation.doubly_robust(log, name) for name in names}
    return {
        name: estimators.estimate(found[ranking].minus(other))
        for name, other in found.items()
        if name != ranking
    }
