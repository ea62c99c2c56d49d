"""Features as of each request, by Feast's point-in-time retrieval: rows in are rows out.

Request-time features and the order of columns come from ``feature_repo.model_matrix``, the function
that the gateway calls.
"""

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
from training.errors import DataError

if TYPE_CHECKING:
    from feast import FeatureStore

JOIN_KEYS = ["provider_id", "cell", "service"]
_ROW = "row_number"


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
    dropped = [column.name for column in REQUEST_INPUTS if column.name != "request_ts"]
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
