"""Which candidates of an archive are learned from and tested on, found by DuckDB.

Every offered candidate with a label is taken, of at most so many offers: above that, whole events
are drawn by a hash of their id, the same ones each time. Of some test events the candidates that
were not offered are taken too, without a label: a policy chooses among all of them.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from training.errors import DataError
from training.files import DECISIONS, LABELS, TRUTH, table_files

TRAIN, CALIBRATE, TEST = "train", "calibrate", "test"
_TRAIN_UNTIL, _CALIBRATE_UNTIL = 0.6, 0.75
"""Shares of the events, by time: later ones are never used to fit what is tested on them."""
MEMORY_LIMIT = "3GB"
"""DuckDB puts on disk what takes more."""


@dataclass(frozen=True)
class Limits:
    """How much is taken.

    Attributes:
        most_offers: Labelled offers, about: what the models' memory grows with.
        whole_events: Test events of which all candidates are taken; more cost time and add little
            precision.
        chunk_rows: Rows that are held at a time.
    """

    most_offers: int = 3_000_000
    whole_events: int = 250
    chunk_rows: int = 250_000


DEFAULT_LIMITS = Limits()

IS_DRAWN = "md5_number_upper(event_id) / pow(2, 64) < $share"
"""SQL: whether an event is one of the share that is taken, by a hash: whole events, the same ones
each time."""

# The log's propensity is that of being offered first; offers are drawn without replacement, so a
# later one has it divided by what the earlier ones left.
_STAGED = """
SELECT *, CASE WHEN offered THEN propensity / (1 - coalesce(sum(propensity) OVER (
    PARTITION BY event_id, offered ORDER BY offer_rank
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
), 0)) END AS stage_propensity
FROM {decisions}
"""
_EVENTS = """
SELECT event_id, min(request_ts) AS request_ts
FROM {decisions} AS decisions SEMI JOIN {labels} AS labels USING (event_id, provider_id)
WHERE offered AND {is_drawn}
GROUP BY event_id ORDER BY request_ts, event_id
"""
_ROWS = """
WITH logged AS ({staged})
SELECT logged.*, {truth_columns} labels.* EXCLUDE (event_id, provider_id), chosen.split
FROM logged
JOIN chosen USING (event_id)
LEFT JOIN {labels} AS labels USING (event_id, provider_id)
{truth_join}
WHERE labels.grade IS NOT NULL OR (chosen.whole AND NOT logged.offered)
ORDER BY request_ts, event_id, provider_id
"""


@dataclass(frozen=True)
class Archive:
    """Where decisions, labels and, if it is known, the truth are."""

    data: Path
    work: Path

    def files(self, table: str, *days: date) -> list[str]:
        """Return a table's files, of some days or of all."""
        root = self.work if table == LABELS else self.data
        return [str(file) for file in table_files(root / table, days or None)]


def choose(archive: Archive, limits: Limits) -> pd.DataFrame:
    """Return the events to take: ``event_id``, ``split``, and ``whole``, if all of its candidates.

    Raises:
        DataError: No offer of the decisions has a label.
    """
    labels = archive.files(LABELS)
    labelled = sum(pq.read_metadata(file).num_rows for file in labels)
    share = min(1.0, limits.most_offers / max(labelled, 1))
    with closing(_connect(archive.work)) as connection:
        events = connection.execute(
            _EVENTS.format(
                decisions=_table(archive.files(DECISIONS)),
                labels=_table(labels),
                is_drawn=IS_DRAWN,
            ),
            {"share": share},
        ).df()
    if events.empty:
        raise DataError(
            f"{archive.work / LABELS}: no label belongs to a decision of {archive.data}; label the "
            "same archive: `python -m training.labels --data DIR`"
        )
    split = split_of_ranks(len(events))
    return pd.DataFrame(
        {"event_id": events["event_id"], "split": split,
         "whole": _spread(split == TEST, limits.whole_events)}
    )  # fmt: skip


def rows_of_day(
    archive: Archive, chosen: pd.DataFrame, day: date, chunk_rows: int
) -> Iterator[pd.DataFrame]:
    """Yield a day's rows in order of time: the decision's columns, the label's, and the split.

    ``stage_propensity`` is the probability of an offer given those before it, NaN where none was
    made; ``success_probability`` is there if the archive knows the truth.
    """
    decisions, truth = archive.files(DECISIONS, day), archive.files(TRUTH, day)
    # an offer may be made after midnight
    labels = archive.files(LABELS, day, day + timedelta(days=1))
    if not labels:
        return
    query = _ROWS.format(
        staged=_STAGED.format(decisions=_table(decisions)),
        labels=_table(labels),
        truth_columns="truth.success_probability," if truth else "",
        truth_join=f"LEFT JOIN {_table(truth)} AS truth USING (event_id, provider_id)"
        if truth
        else "",
    )
    with closing(_connect(archive.work)) as connection:
        connection.register("chosen", chosen)
        for batch in connection.sql(query).to_arrow_reader(chunk_rows):
            yield batch.to_pandas()


def stage_propensities(decisions: pd.DataFrame) -> pd.DataFrame:
    """Return the decisions with ``stage_propensity``, as ``rows_of_day`` has it; order is lost."""
    with closing(duckdb.connect()) as connection:
        connection.register("decisions", decisions)
        return connection.execute(_STAGED.format(decisions="decisions")).df()


def split_of_ranks(count: int) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    """Return the split of each of so many events in order of time."""
    share = np.arange(count) / count
    return np.where(
        share < _TRAIN_UNTIL, TRAIN, np.where(share < _CALIBRATE_UNTIL, CALIBRATE, TEST)
    )


def _spread(
    eligible: np.ndarray[tuple[int], np.dtype[np.bool_]], most: int
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which are taken: at most so many of the eligible, evenly over time."""
    positions = np.flatnonzero(eligible)
    some = np.linspace(0, len(positions) - 1, min(len(positions), most)).round().astype(int)
    taken = np.zeros(len(eligible), dtype=np.bool_)
    taken[positions[some]] = True
    return taken


def _connect(work: Path) -> duckdb.DuckDBPyConnection:
    work.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(
        config={"memory_limit": MEMORY_LIMIT, "temp_directory": str(work / "spill")}
    )
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def _table(files: list[str]) -> str:
    listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    return f"read_parquet([{listed}], hive_partitioning = false)"
