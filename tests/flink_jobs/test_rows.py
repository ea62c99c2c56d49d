"""What is said of rows that were written."""

import numpy as np
import pandas as pd

from flink_jobs.rows import written_at

NOW_US = 1_767_225_600_000_000


def test_rows_of_a_batch_are_known_one_after_another() -> None:
    """No two rows of a batch share their moment, the last is of now, and a heartbeat has none."""
    found = written_at(np.array([True, True, False, True]), NOW_US)
    assert found.dtype == "datetime64[us]"
    assert found.isna().tolist() == [False, False, True, False]
    assert found.dropna().is_monotonic_increasing
    assert found.dropna().is_unique
    assert found.iloc[-1] == pd.Timestamp(NOW_US, unit="us")
