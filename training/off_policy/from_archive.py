"""A table of logged decisions from an archive: ``python -m training.off_policy.from_archive``.

It takes the test events of which the training set has all candidates: later than what the models
saw, so that the success model is a fair reward model for DR. Only the first offer counts. A later
one is made because the earlier ones failed, to candidates without them and minutes later: its
reward is that of another situation.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.compute as pc

from training import dataset, models
from training.errors import DataError, exit_on_errors
from training.files import ARCHIVE_ORIGIN, DECISIONS, TRAINING_SET, read_frame, write_frame
from training.labels import KEYS
from training.models import TrainedModels
from training.off_policy.estimators import Floats
from training.selection import TEST

POLICIES = ("model", "nearest", "lowest_eta", "uniform")
PREDICTION = "prediction"
TRUTH = "success_probability"
"""Only an archive of the simulator has it."""


def build(data: Path, work: Path) -> pd.DataFrame:
    """Return the table.

    Columns: ``event_id``, ``provider_id``, ``propensity``, ``offer_rank``, ``success`` (NaN where
    not offered), ``prediction``, one for each of ``POLICIES`` (all but ``uniform`` offer to their
    first choice), and the true chance of success where the archive knows it.

    Raises:
        DataError: Files are missing, or no event has all of its candidates.
    """
    test = dataset.read(work, TEST)
    tested = pc.field("event_id").isin(test["event_id"].unique())
    decisions = read_frame(data / DECISIONS, ARCHIVE_ORIGIN, filters=tested)
    trained = models.load(work)
    rows = whole_events(test, decisions)
    if rows.empty:
        raise DataError(
            f"{work / TRAINING_SET}: no test event has all of its candidates and a label of its "
            "first offer: take an archive of more hours"
        )
    raw = models.raw_probability(trained.success, models.matrix(rows))
    known = [TRUTH] if TRUTH in rows else []
    return rows[[*KEYS, "propensity", "offer_rank", "success", *known]].assign(
        success=rows["success"].astype("Float64"),
        **{PREDICTION: np.interp(raw, trained.calibration.x, trained.calibration.y)},
        **policies(rows, trained),
    )


def policies(rows: pd.DataFrame, trained: TrainedModels) -> dict[str, Floats]:
    """Return each policy's probability of each row, float64 [n], in the order of ``POLICIES``."""
    _, event = np.unique(rows["event_id"].to_numpy(dtype=str), return_inverse=True)
    scores = [
        np.asarray(trained.ranker.predict(models.matrix(rows)), dtype=np.float64),
        -rows["request_time__driver_distance_km"].fillna(np.inf).to_numpy(dtype=np.float64),
        -rows["request_time__eta_min"].fillna(np.inf).to_numpy(dtype=np.float64),
    ]
    chosen = [*(first_choice(score, event) for score in scores), 1 / np.bincount(event)[event]]
    return dict(zip(POLICIES, chosen, strict=True))


def whole_events(test: pd.DataFrame, decisions: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of events with every logged candidate and a first label, with propensity."""
    logged = decisions[decisions["event_id"].isin(test["event_id"])]
    sizes = logged.groupby("event_id").size()
    whole = sizes[sizes == test.groupby("event_id").size()].index
    first = test[(test["offer_rank"] == 1) & test["success"].notna()]["event_id"]
    rows = test[test["event_id"].isin(whole) & test["event_id"].isin(first)]
    rows = rows.drop(columns="propensity", errors="ignore")
    return rows.merge(logged[[*KEYS, "propensity"]], on=KEYS, validate="one_to_one")


def first_choice(score: Floats, event: npt.NDArray[np.int64]) -> Floats:
    """Return 1 for the best candidate of each event, the first of equals, and 0 for the others."""
    order = np.lexsort((-score, event))
    starts = np.diff(event[order], prepend=-1) > 0
    probability = np.zeros(len(score))
    probability[order[starts]] = 1.0
    return probability


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.off_policy.from_archive",
        description="Write the table that `python -m training.off_policy` reads, from an archive.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="the archive")
    parser.add_argument("--work", type=Path, required=True, help="where models/ is")
    parser.add_argument("--out", type=Path, required=True, help="the Parquet file to write")
    options = parser.parse_args(arguments)
    with exit_on_errors("training.off_policy.from_archive"):
        table = build(options.data, options.work)
        write_frame(table, options.out)
        sys.stdout.write(
            f"{options.out}: {table['event_id'].nunique():,} decisions, {len(table):,} candidates\n"
        )
        if TRUTH in table:
            sys.stdout.write(_truth(table))
    return 0


def _truth(table: pd.DataFrame) -> str:
    """Return what the policies truly are worth on these events, one a line."""
    count = table["event_id"].nunique()
    worth = {p: (table[p] * table[TRUTH]).sum() / count for p in (*POLICIES, "propensity")}
    return "".join(f"true value of {policy:12}{value:8.4f}\n" for policy, value in worth.items())


if __name__ == "__main__":
    sys.exit(main())
