"""The training set: labels joined with features as of each request, ``python -m training.dataset``.

Features come from Feast's point-in-time retrieval; request-time features and the order of columns
come from ``feature_repo.model_matrix``, the function that the gateway calls. Rows in are rows out.
"""

import argparse
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from feature_repo.analyst_frames import request_columns, stored_columns
from feature_repo.model_matrix import MODEL_FEATURES, STORED_FEATURES, model_matrix
from feature_repo.request_time import REQUEST_INPUTS
from feature_repo.schema import VIEWS
from training.errors import DataError, exit_on_errors
from training.files import DECISIONS, LABELS, TRAINING_SET, TRUTH, read_frame, write_frame
from training.labels import KEYS

if TYPE_CHECKING:
    from feast import FeatureStore

JOIN_KEYS = ["provider_id", "cell", "service"]
TRAIN, CALIBRATE, TEST = "train", "calibrate", "test"
_TRAIN_UNTIL, _CALIBRATE_UNTIL = 0.6, 0.75
"""Shares of the events, by time: later ones are never used to fit what is tested on them."""
EVENTS_WITH_ALL_CANDIDATES = 250
"""Test events of which all candidates are retrieved; more cost time and add little precision."""
_ROW = "row_number"


def build(data: Path, feature_repo: Path, work: Path) -> pd.DataFrame:
    """Write ``training_set.parquet`` to the work directory and return it.

    It has every offered candidate with a label, and of some test events also the candidates that
    were not offered (without label): a policy chooses among all of them. Columns: the keys,
    ``cell``, ``offered_ts``, ``split``, ``offered``, ``stage_propensity``, ``grade``, ``success``,
    ``minutes_to_arrival``, the true ``success_probability`` where the archive knows it, and
    ``MODEL_FEATURES`` (float32).

    Raises:
        DataError: The archive or the feature repository is not as it must be.
    """
    origin = "`python -m simulator history --out DIR`"
    decisions = read_frame(data / DECISIONS, origin)
    labels = read_frame(work / LABELS, "`python -m training.labels`")
    rows = select_rows(decisions, labels)
    if (data / TRUTH).exists():
        truth = read_frame(data / TRUTH, origin)
        rows = rows.merge(truth, on=KEYS, how="left", validate="one_to_one")
    store = open_store(feature_repo, data / "offline")
    frame = with_features(rows, store)
    write_frame(frame, work / TRAINING_SET)
    return frame


def select_rows(decisions: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Return the candidates to learn from and to test on, with labels, split and propensity."""
    logged = decisions.assign(stage_propensity=stage_propensities(decisions))
    joined = logged.merge(labels, on=KEYS, how="left", validate="one_to_one")
    labelled = joined["grade"].notna()
    split = split_by_time(joined.loc[labelled])
    joined["split"] = joined["event_id"].map(split)
    unoffered = joined["event_id"].isin(_spread(split[split == TEST].index)) & ~joined["offered"]
    return joined[labelled | unoffered].reset_index(drop=True)


def _spread(events: pd.Index) -> pd.Index:
    """Return at most ``EVENTS_WITH_ALL_CANDIDATES`` of the events, evenly over time."""
    positions = np.linspace(0, len(events) - 1, min(len(events), EVENTS_WITH_ALL_CANDIDATES))
    return events[positions.round().astype(int)]


def stage_propensities(decisions: pd.DataFrame) -> pd.Series:
    """Return the probability of each offer given those before it; NaN where none was made.

    The log's ``propensity`` is that of being offered first; offers are drawn without replacement,
    so a later one has it divided by what the earlier ones left.
    """
    offers = decisions[decisions["offered"]].sort_values(["event_id", "offer_rank"])
    first = offers.groupby("event_id")["propensity"]
    left = 1 - (first.cumsum() - offers["propensity"])
    return (offers["propensity"] / left).reindex(decisions.index)


def split_by_time(rows: pd.DataFrame) -> pd.Series:
    """Return the split of each event (index: event_id), by the time of its request."""
    times = rows.groupby("event_id")["request_ts"].min().sort_values(kind="stable")
    share = np.arange(len(times)) / len(times)
    names = np.where(
        share < _TRAIN_UNTIL, TRAIN, np.where(share < _CALIBRATE_UNTIL, CALIBRATE, TEST)
    )
    return pd.Series(names, index=times.index)


def open_store(feature_repo: Path, offline: Path) -> "FeatureStore":
    """Open the feature repository and check that its views read the archive's offline rows.

    Raises:
        DataError: There is no repository, it was not applied, or it reads other rows.
    """
    if not (feature_repo / "feature_store.yaml").is_file():
        raise DataError(f"{feature_repo} has no feature_store.yaml: give --feature-repo")
    with _feast_warnings_ignored():
        from feast import FeatureStore  # noqa: PLC0415 - takes seconds
        from feast.errors import FeatureViewNotFoundException  # noqa: PLC0415

        store = FeatureStore(repo_path=str(feature_repo))
        for name in VIEWS:
            try:
                source: Any = store.get_feature_view(name).batch_source
            except FeatureViewNotFoundException as error:
                raise DataError(
                    f"view {name!r} is not registered: run `feast apply` in {feature_repo}"
                ) from error
            path = Path(source.path)
            if path.resolve() != (offline / name).resolve():
                raise DataError(
                    f"view {name!r} reads {path}, not {offline / name}: run `feast apply` in "
                    f"{feature_repo} with FEATURE_DATA_DIR={offline}"
                )
    return store


def with_features(rows: pd.DataFrame, store: "FeatureStore") -> pd.DataFrame:
    """Return the rows with ``MODEL_FEATURES`` as of each request, in the same order.

    Raises:
        DataError: Feast gave back other rows than it was asked for.
    """
    stored = retrieve(rows, store)
    requests = rows[[column.name for column in REQUEST_INPUTS]]
    matrix = model_matrix(stored_columns(stored), request_columns(requests))
    dropped = [*(c.name for c in REQUEST_INPUTS if c.name != "request_ts"), "propensity"]
    features = pd.DataFrame(matrix, columns=list(MODEL_FEATURES), index=rows.index)
    return pd.concat([rows.drop(columns=dropped), features], axis=1)


def retrieve(
    rows: pd.DataFrame, store: "FeatureStore", names: Sequence[str] = STORED_FEATURES
) -> pd.DataFrame:
    """Return stored features as of ``request_ts`` for each row, in the rows' order.

    Raises:
        DataError: Feast gave back other rows than it was asked for.
    """
    entities = rows[JOIN_KEYS].assign(
        event_timestamp=rows["request_ts"], **{_ROW: np.arange(len(rows))}
    )
    with _feast_warnings_ignored():
        job = store.get_historical_features(
            entity_df=entities,
            features=[name.replace("__", ":", 1) for name in names],
            full_feature_names=True,
            # A window's rows share their newest event for as long as none is newer; without this
            # the last of them is taken, which did not exist yet at the decision.
            filter_by_created_timestamp=True,
        )
        found = job.to_df()
    require_same_rows(found, len(rows))
    return found.sort_values(_ROW).reset_index(drop=True)


def require_same_rows(found: pd.DataFrame, asked: int) -> None:
    """Check that a retrieval has each row asked for once.

    Raises:
        DataError: It has not: a join lost or doubled rows.
    """
    numbers = np.sort(found[_ROW].to_numpy())
    if len(numbers) != asked or not np.array_equal(numbers, np.arange(asked)):
        raise DataError(
            f"historical retrieval was asked for {asked:,} rows and returned {len(found):,} "
            f"({found[_ROW].nunique():,} different): use the DuckDB offline store, and look for "
            "rows of one entity with equal event_timestamp and created_timestamp"
        )


@contextmanager
def _feast_warnings_ignored() -> Iterator[None]:
    """Keep quiet about deprecations inside Feast and what it calls; ours are still told."""
    with warnings.catch_warnings():
        for kind in (DeprecationWarning, FutureWarning, UserWarning):
            warnings.filterwarnings(
                "ignore", category=kind, module=r"(feast|ibis|pydantic|google)\b"
            )
        yield


def main(arguments: list[str] | None = None) -> int:
    """Run the step; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.dataset",
        description="Join the labels with the features as of each request.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="the archive")
    parser.add_argument("--work", type=Path, required=True, help="where labels.parquet is")
    parser.add_argument(
        "--feature-repo", type=Path, default=Path("feature_repo"), help="an applied Feast repo"
    )
    options = parser.parse_args(arguments)
    with exit_on_errors("training.dataset"):
        frame = build(options.data, options.feature_repo, options.work)
        sys.stdout.write(f"{options.work / TRAINING_SET}: {describe(frame)}\n")
    return 0


def describe(frame: pd.DataFrame) -> str:
    """Return the size of a training set as a person reads it."""
    sizes = frame[frame["grade"].notna()]["split"].value_counts()
    parts = ", ".join(f"{sizes.get(name, 0):,} {name}" for name in (TRAIN, CALIBRATE, TEST))
    return f"{len(frame):,} rows x {len(MODEL_FEATURES)} features; labelled: {parts}"


if __name__ == "__main__":
    sys.exit(main())
