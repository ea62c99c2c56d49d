"""Logged decisions as a table, one row a decision and candidate, checked and made arrays."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.errors import DataError
from training.files import read_frame
from training.off_policy.estimators import Floats

_SUM_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Columns:
    """The names of a table's columns.

    Attributes:
        decision: Which decision.
        candidate: Which candidate of the decision.
        propensity: Probability with which the log chose the candidate; sums to 1 a decision.
        chosen: True or 1 for the one candidate that was chosen. The rank of an offer will do:
            then the first offer counts.
        reward: Known at least where a candidate was chosen.
        prediction: The reward model's, of every candidate; None where there is no model.
    """

    decision: str = "event_id"
    candidate: str = "provider_id"
    propensity: str = "propensity"
    chosen: str = "offer_rank"
    reward: str = "success"
    prediction: str | None = None


@dataclass(frozen=True)
class LoggedDecisions:
    """n decisions with m candidates in all.

    Attributes:
        decision: Of each candidate, 0 to n - 1, int64 [m].
        propensity: Of each candidate, float64 [m].
        prediction: Of each candidate, float64 [m]; None without a reward model.
        chosen: Row of each decision's chosen candidate, int64 [n].
        reward: Of each decision's chosen candidate, float64 [n].
        policies: Each policy's probability of each candidate, float64 [m], by name.
    """

    decision: npt.NDArray[np.int64]
    propensity: Floats
    prediction: Floats | None
    chosen: npt.NDArray[np.int64]
    reward: Floats
    policies: dict[str, Floats]

    def mean_over_policy(self, policy: str, of_candidates: Floats) -> Floats:
        """Return for each decision the mean of a value over a policy's choice, float64 [n]."""
        weighted = self.policies[policy] * of_candidates
        return np.asarray(
            np.bincount(self.decision, weighted, minlength=len(self.chosen)), dtype=np.float64
        )


def read(path: Path) -> pd.DataFrame:
    """Read a ``.csv`` or a Parquet file.

    Raises:
        DataError: It is not there or cannot be read.
    """
    origin = "`python -m training.off_policy.from_archive`, or your own log (docs/experiments.md)"
    if path.suffix != ".csv" or not path.is_file():
        return read_frame(path, origin)
    try:
        return pd.read_csv(path)
    except (ValueError, OSError) as error:
        raise DataError(f"{path} cannot be read as CSV ({error})") from error


def logged_decisions(frame: pd.DataFrame, columns: Columns, policies: list[str]) -> LoggedDecisions:
    """Check a table and return its arrays.

    Raises:
        DataError: A column is missing or a value is not as it must be; the message names both.
    """
    _require_columns(frame, columns, policies)
    _require_unique(frame, columns)
    decision, ids = pd.factorize(frame[columns.decision])
    checked = _Checked(frame, columns.decision, decision, len(ids))
    propensity = checked.probabilities(columns.propensity)
    new = {policy: checked.probabilities(policy) for policy in policies}
    chosen = checked.chosen(columns.chosen)
    checked.require(
        propensity[chosen] > 0, chosen, columns.propensity, "above 0 for a chosen candidate"
    )
    reward = checked.numbers(columns.reward, chosen)
    everyone = np.arange(len(frame))
    model = None if columns.prediction is None else checked.numbers(columns.prediction, everyone)
    return LoggedDecisions(decision.astype(np.int64), propensity, model, chosen, reward, new)


@dataclass(frozen=True)
class _Checked:
    """Takes columns of a table as arrays; errors name the column, the decision and the value."""

    frame: pd.DataFrame
    decision_column: str
    decision: npt.NDArray[np.intp]
    count: int

    def require(
        self, holds: npt.NDArray[np.bool_], rows: npt.NDArray[np.int64], column: str, rule: str
    ) -> None:
        if not holds.all():
            row = int(rows[np.flatnonzero(~holds)[0]])
            raise DataError(
                f"{column}: {self.frame[column].iloc[row]} in decision "
                f"{self.frame[self.decision_column].iloc[row]!r} (row {row}) must be {rule}; "
                f"{int((~holds).sum()):,} rows break this"
            )

    def numbers(self, column: str, rows: npt.NDArray[np.int64]) -> Floats:
        values = pd.to_numeric(self.frame[column], errors="coerce")
        array = values.to_numpy(dtype=np.float64, na_value=np.nan)[rows]
        rule = "a finite number: leave out decisions of which it is not known yet"
        self.require(np.isfinite(array), rows, column, rule)
        return array

    def probabilities(self, column: str) -> Floats:
        rows = np.arange(len(self.frame))
        array = self.numbers(column, rows)
        self.require((array >= 0) & (array <= 1), rows, column, "a probability, 0 to 1")
        total = np.bincount(self.decision, array, minlength=self.count)
        self._require_each(
            np.abs(total - 1) <= _SUM_TOLERANCE, total, column,
            "sum to 1 over a decision: every candidate needs a row, not only the chosen one",
        )  # fmt: skip
        return array

    def chosen(self, column: str) -> npt.NDArray[np.int64]:
        flags = pd.to_numeric(self.frame[column], errors="coerce").eq(1).fillna(False)
        rows = np.flatnonzero(flags.to_numpy(dtype=bool))
        total = np.bincount(self.decision[rows], minlength=self.count)
        self._require_each(total == 1, total, column, "be true, or 1, for one candidate a decision")
        return rows[np.argsort(self.decision[rows], kind="stable")].astype(np.int64)

    def _require_each(
        self, holds: npt.NDArray[np.bool_], found: npt.NDArray[np.generic], column: str, rule: str
    ) -> None:
        if not holds.all():
            first = int(np.flatnonzero(~holds)[0])
            row = int(np.flatnonzero(self.decision == first)[0])
            raise DataError(
                f"{column}: decision {self.frame[self.decision_column].iloc[row]!r} has "
                f"{found[first]:g}, and it must {rule}; {int((~holds).sum()):,} decisions break "
                "this"
            )


def _require_columns(frame: pd.DataFrame, columns: Columns, policies: list[str]) -> None:
    c = columns
    needed = [c.decision, c.candidate, c.propensity, c.chosen, c.reward, *policies]
    needed += [c.prediction] if c.prediction is not None else []
    missing = [name for name in needed if name not in frame]
    if missing:
        raise DataError(
            f"columns {missing} are missing; the table has {list(frame.columns)}: name yours by "
            "the options (--help)"
        )
    if frame.empty:
        raise DataError("the table has no rows: give logged decisions")


def _require_unique(frame: pd.DataFrame, columns: Columns) -> None:
    keys = [columns.decision, columns.candidate]
    for key in keys:
        if frame[key].isna().any():
            raise DataError(f"{key}: {int(frame[key].isna().sum()):,} rows have none; all need one")
    twice = frame.duplicated(keys)
    if twice.any():
        named = dict(frame.loc[twice, keys].iloc[0])
        raise DataError(
            f"{named} is there twice, as {int(twice.sum()):,} rows are: a candidate has one row a "
            "decision"
        )
