"""Served features against historical retrieval at the same moment."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from feature_repo.analyst_frames import request_columns, stored_columns
from feature_repo.model_matrix import MODEL_FEATURES, full_name, model_matrix
from feature_repo.request_time import REQUEST_INPUTS, is_available
from feature_repo.schema import VIEWS
from training.monitoring import units
from training.monitoring.findings import Finding, Kind, Severity
from training.monitoring.limits import Limits
from training.monitoring.tables import tuples
from training.retrieval import retrieve

if TYPE_CHECKING:
    from feast import FeatureStore

Floats = npt.NDArray[np.float64]
_STATUS = "provider_availability__status"
_OBSERVED = sorted(
    full_name(view.name, name)
    for view in VIEWS.values()
    for name in {view.observed_at, view.judged_by}
    if name is not None
)
"""From what ages are counted."""
_EXAMPLES = 3


@dataclass(frozen=True)
class Compared:
    """Served values and history's, float64 [n, len(MODEL_FEATURES)], row by row.

    Attributes:
        rows: Which decision and provider each row is.
        served: As the decision log has them.
        history: As retrieval gives them at the moment of the decision.
    """

    rows: pd.DataFrame
    served: Floats
    history: Floats

    @property
    def differ(self) -> npt.NDArray[np.bool_]:
        """Where the two are not exactly equal; unknown equals unknown."""
        both_unknown = np.isnan(self.served) & np.isnan(self.history)
        return np.asarray(~((self.served == self.history) | both_unknown))


def with_available_candidates(
    served: pd.DataFrame, candidates: pd.DataFrame, store: "FeatureStore"
) -> pd.DataFrame:
    """Return the rows with ``available_candidates``, counted from history as the gateway counts.

    The log does not have the number; it is that of the candidates who could be sent and were
    available.
    """
    eligible = candidates[candidates["excluded"].isna()].reset_index(drop=True)
    status = retrieve(eligible, store, [_STATUS])[_STATUS]
    available = pd.Series(is_available(status.fillna("").to_numpy(dtype=object)))
    counts = available.groupby(eligible["event_id"]).sum()
    return served.assign(available_candidates=served["event_id"].map(counts).astype(np.int32))


def as_of(rows: pd.DataFrame, store: "FeatureStore", lag_s: float = 0.0) -> pd.DataFrame:
    """Return the stored features as they were ``lag_s`` before each row's decision."""
    moment = rows["request_ts"] - pd.Timedelta(seconds=lag_s)
    return retrieve(rows.assign(request_ts=moment), store)


def restamped(stored: pd.DataFrame, lag_s: float) -> pd.DataFrame:
    """Return stored features as if they had been observed so much later: they seem fresh."""
    later = pd.Timedelta(seconds=lag_s)
    return stored.assign(**{name: stored[name] + later for name in _OBSERVED})


def matrix(rows: pd.DataFrame, stored: pd.DataFrame) -> Floats:
    """Return what ``model_matrix`` makes of stored features at each decision, float64 [n, f]."""
    asked = rows[[column.name for column in REQUEST_INPUTS]]
    made = model_matrix(stored_columns(stored), request_columns(asked))
    return made.astype(np.float64)


def compare(rows: pd.DataFrame, store: "FeatureStore") -> Compared:
    """Compare served rows (see ``with_available_candidates``) with history."""
    served = rows[list(MODEL_FEATURES)].to_numpy(dtype=np.float64)
    return Compared(rows, served, matrix(rows, as_of(rows, store)))


def table(compared: Compared) -> pd.DataFrame:
    """Return for each feature the share exactly equal and the largest difference.

    Columns: ``feature, rows, equal_share, largest_difference`` (NaN where no two known values
    differ), ``only_served, only_history`` (rows in which only the one is known), ``examples``.
    """
    differ = compared.differ
    with np.errstate(invalid="ignore"):
        distance = np.abs(compared.served - compared.history)
    unknown = np.isnan(compared.served), np.isnan(compared.history)
    rows = []
    for index, name in enumerate(MODEL_FEATURES):
        both = differ[:, index] & np.isfinite(distance[:, index])
        rows.append(
            (
                name,
                len(differ),
                float(1 - differ[:, index].mean()),
                float(distance[both, index].max()) if both.any() else float("nan"),
                int((~unknown[0] & unknown[1])[:, index].sum()),
                int((unknown[0] & ~unknown[1])[:, index].sum()),
                _examples(compared, index, differ[:, index]),
            )
        )
    columns = ["feature", "rows", "equal_share", "largest_difference", "only_served",
               "only_history", "examples"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _examples(compared: Compared, index: int, differ: npt.NDArray[np.bool_]) -> str:
    return "; ".join(
        f"{compared.rows['event_id'].iat[row]} {compared.rows['provider_id'].iat[row]}: served "
        f"{compared.served[row, index]:.9g}, history {compared.history[row, index]:.9g}"
        for row in np.flatnonzero(differ)[:_EXAMPLES]
    )


def findings(found: pd.DataFrame, compared: Compared, limits: Limits) -> list[Finding]:
    """Return the features that were served other than history has them; all of them stop."""
    return [
        _finding(row, compared, limits)
        for row in tuples(found[found["equal_share"] < limits.equal_share])
    ]


def _finding(row: Any, compared: Compared, limits: Limits) -> Finding:
    served, right = compared.served[:, row.Index], compared.history[:, row.Index]
    unit = units.explains(row.feature, served, right)
    cause = "" if unit is None else f"served values are history's in {unit.name}; "
    return Finding(
        Severity.STOP,
        Kind.SKEW if unit is None else Kind.UNIT,
        row.feature,
        "all",
        row.equal_share,
        limits.equal_share,
        f"{cause}{row.equal_share:.2%} of {row.rows:,} served values equal history's: "
        f"{row.examples}",
    )
