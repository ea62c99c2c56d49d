"""What a historical retrieval returns: the entity rows as they came, with the features beside."""

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import pandas as pd
import pyarrow as pa
from feast import OnDemandFeatureView
from feast.infra.offline_stores.duckdb import _write_data_source
from feast.infra.offline_stores.offline_store import RetrievalJob, RetrievalMetadata
from feast.saved_dataset import SavedDatasetStorage

from feature_repo.offline.view_lookup import ViewLookup


@dataclass(frozen=True)
class Request:
    """What was asked for.

    Attributes:
        entities: The entity rows.
        time_column: Their column that says as of when.
        references: ``view:feature``, for each feature.
        full_feature_names: Whether a feature is named ``view__feature`` in the result.
    """

    entities: pd.DataFrame
    time_column: str
    references: list[str]
    full_feature_names: bool


class AsOfRetrievalJob(RetrievalJob):
    """Looks up one view after another when asked for the result, so that memory holds one join.

    The entity rows themselves are never joined: none can be lost, doubled or moved.
    """

    def __init__(
        self,
        request: Request,
        lookups: Sequence[ViewLookup],
        on_demand_feature_views: list[OnDemandFeatureView],
    ) -> None:
        super().__init__()
        self._request = request
        self._lookups = lookups
        self._on_demand_feature_views = on_demand_feature_views

    @property
    def full_feature_names(self) -> bool:
        """Whether a feature is named ``view__feature``."""
        return self._request.full_feature_names

    @property
    def on_demand_feature_views(self) -> list[OnDemandFeatureView]:
        """The views that Feast computes from the result."""
        return self._on_demand_feature_views

    @property
    def metadata(self) -> RetrievalMetadata:
        """What was asked for, as Feast reports it."""
        request = self._request
        moments = request.entities[request.time_column]
        return RetrievalMetadata(
            features=request.references,
            keys=[name for name in request.entities.columns if name != request.time_column],
            min_event_timestamp=moments.min(),
            max_event_timestamp=moments.max(),
        )

    def persist(
        self,
        storage: SavedDatasetStorage,
        allow_overwrite: bool = False,
        timeout: int | None = None,
    ) -> None:
        """Write the result as a saved dataset."""
        result = ibis.memtable(self.to_arrow(timeout=timeout))
        _write_data_source(result, storage.to_data_source(), "", "overwrite", allow_overwrite)

    def _to_df_internal(self, timeout: int | None = None) -> pd.DataFrame:
        frame: pd.DataFrame = self._to_arrow_internal(timeout).to_pandas()
        return frame

    def _to_arrow_internal(self, timeout: int | None = None) -> pa.Table:  # noqa: ARG002
        entities = self._request.entities
        result = pa.Table.from_pandas(entities, preserve_index=False)
        for lookup in self._lookups:
            found = lookup.run(entities, entities[self._request.time_column])
            for name in found.column_names:
                result = result.append_column(name, found[name])
        return result
