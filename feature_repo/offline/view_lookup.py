"""One view's part of a historical retrieval: its features as of each entity row."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
from feast import FeatureView

from feature_repo.offline.point_in_time import AS_OF, NUMBER, Entities, as_of
from feature_repo.offline.tables import join_keys, read_rows, timed_rows

_NO_TIME = pd.Series(pd.to_datetime([0], utc=True))
"""Stands for the times of entity rows where there are none; the columns are told all the same."""


@dataclass(frozen=True)
class ViewLookup:
    """What to look up in one view.

    Attributes:
        view: The view.
        features: Its features to their names in the result.
        repo_path: What a relative path of its source starts from.
        once_created: Whether a row counts only from when it was created.
    """

    view: FeatureView
    features: Mapping[str, str]
    repo_path: str
    once_created: bool

    @classmethod
    def of(
        cls,
        view: FeatureView,
        references: Iterable[str],
        repo_path: str,
        *,
        full_names: bool,
        once_created: bool,
    ) -> "ViewLookup":
        """Return the look-up of those of the references (``view:feature``) that are this view's."""
        view_name: str = view.projection.name_to_use()  # type: ignore[no-untyped-call]
        pairs = (reference.split(":", 1) for reference in references)
        prefix = f"{view.projection.name_alias or view.name}__" if full_names else ""
        features = {name: f"{prefix}{name}" for owner, name in pairs if owner == view_name}
        return cls(view, features, repo_path, once_created)

    def run(self, entities: pd.DataFrame, moments: "pd.Series[pd.Timestamp]") -> pa.Table:
        """Return the features, a row for each entity row in their order; null where there is none.

        Args:
            entities: Has the join keys.
            moments: The time of each entity row, UTC.
        """
        told = moments if moments.notna().any() else _NO_TIME
        first, last = told.min(), told.max()
        oldest = (first - self.view.ttl).date() if self.view.ttl else None
        source = self.view.batch_source
        assert source is not None  # a view of ours has one
        table = read_rows(source, self.repo_path, oldest, last.date())
        rows = timed_rows(table, self.view, self.features)
        numbered = entities[[*join_keys(self.view).values()]].copy()
        numbered[AS_OF], numbered[NUMBER] = moments, np.arange(len(entities))
        asked = Entities(ibis.memtable(numbered), first, last)
        found = as_of(asked, rows, once_created=self.once_created)
        return _aligned(found.to_pyarrow(), len(entities))


def _aligned(found: pa.Table, count: int) -> pa.Table:
    numbers = found[NUMBER].to_numpy()
    position = np.full(count, -1, dtype=np.int64)
    position[numbers] = np.arange(len(numbers))
    indices = pa.array(position, mask=position < 0)
    return found.drop_columns([NUMBER]).combine_chunks().take(indices)
