"""What is taken as a log, and what is refused by name."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.training.off_policy import bandit
from training.errors import DataError
from training.off_policy.table import Columns, LoggedDecisions, logged_decisions, read

COLUMNS = Columns(prediction="prediction")


def _logged(frame: pd.DataFrame) -> LoggedDecisions:
    return logged_decisions(frame, COLUMNS, ["new"])


@pytest.mark.parametrize("seed", [None, 3])
def test_the_bandit_is_read_in_any_order(seed: int | None) -> None:
    """Only the first offer counts as chosen, and the rows may come in any order."""
    frame = bandit.table()
    log = _logged(frame if seed is None else frame.sample(frac=1, random_state=seed))
    found = pd.DataFrame(
        {
            "reward": log.reward,
            "weight": log.policies["new"][log.chosen] / log.propensity[log.chosen],
            "expected": log.mean_over_policy("new", np.asarray(log.prediction)),
        }
    ).sort_values("weight")
    order = np.argsort(bandit.WEIGHT)
    np.testing.assert_array_equal(found["reward"], bandit.REWARD[order])
    np.testing.assert_allclose(found["weight"], bandit.WEIGHT[order])
    np.testing.assert_allclose(found["expected"], bandit.EXPECTED[order])


@pytest.mark.parametrize("name", ["log.csv", "log.parquet"])
def test_csv_and_parquet_are_the_same(tmp_path: Path, name: str) -> None:
    """Both file forms give the table, with true and false for the chosen one as well."""
    frame = bandit.table().assign(chosen=lambda rows: rows["offer_rank"] == 1)
    path = tmp_path / name
    if name.endswith("csv"):
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    by_flag = logged_decisions(read(path), Columns(chosen="chosen"), ["new"])
    np.testing.assert_array_equal(by_flag.chosen, _logged(frame).chosen)
    np.testing.assert_array_equal(by_flag.reward, bandit.REWARD)


@pytest.mark.parametrize(
    ("row", "column", "value", "message"),
    [
        (0, "propensity", 0.4, r"propensity: decision 'd1' has 0\.9, and it must sum to 1"),
        (0, "propensity", 1.5, r"propensity: 1\.5 in decision 'd1' \(row 0\) must be a probab"),
        (2, "new", np.nan, r"new: nan in decision 'd2' \(row 2\) must be a finite number"),
        (2, "new", 0.6, r"new: decision 'd2' has 0\.9"),
        (3, "success", np.nan, r"success: nan in decision 'd2' \(row 3\)"),
        (3, "offer_rank", 3, r"offer_rank: decision 'd2' has 0, and it must be true"),
        (8, "offer_rank", 1, r"offer_rank: decision 'd4' has 2, and it must be true"),
        (8, "prediction", np.nan, r"prediction: nan in decision 'd4'"),
        (1, "provider_id", "A", r"'provider_id': 'A'\} is there twice"),
        (1, "provider_id", None, r"provider_id: 1 rows have none"),
    ],
)
def test_a_bad_value_is_named(row: int, column: str, value: Any, message: str) -> None:
    """Column, decision and value are named, and what they must be."""
    frame = bandit.table()
    frame.loc[row, column] = value
    with pytest.raises(DataError, match=message):
        _logged(frame)


def test_a_chosen_candidate_that_the_log_never_chooses_is_refused() -> None:
    """A propensity of 0 for what was chosen contradicts itself."""
    frame = bandit.table()
    frame.loc[[7, 8], "propensity"] = [0.0, 1.0]
    with pytest.raises(DataError, match=r"propensity: 0\.0 in decision 'd4' .* above 0"):
        _logged(frame)


def test_missing_columns_and_rows_are_named() -> None:
    """A column that is not there is named with those that are; no rows are no log."""
    with pytest.raises(DataError, match=r"\['old'\] are missing; the table has \['event_id'"):
        logged_decisions(bandit.table(), COLUMNS, ["old"])
    with pytest.raises(DataError, match="no rows"):
        _logged(bandit.table().head(0))
