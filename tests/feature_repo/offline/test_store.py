"""What the offline store does beside the join: names, types, files of other schemas, refusals."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from feature_repo.offline.store import AsOfOfflineStore
from feature_repo.schema import PROVIDER_MOTION, PROVIDER_PROFILE, VIEWS
from tests.support.offline_rows import AS_OF_JOIN, open_store, references, table_of, write_days

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
NOON = pd.Timestamp("2026-01-05 12:00", tz="UTC")
MINUTE = pd.Timedelta(minutes=1)
PROVIDERS = [("p1",), ("p2",)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Any]:
    """The project's views, with a row of two providers (or their like) in each."""
    for schema in VIEWS.values():
        entities = [values * len(schema.join_keys) for values in PROVIDERS]
        table = table_of(schema, entities, [NOON] * 2, [NOON] * 2, numbers=[1, 2])
        write_days(table, tmp_path / "rows" / schema.name)
    yield open_store(tmp_path / "repo", tmp_path / "rows", AS_OF_JOIN)


def _ask(store: Any, features: list[str], **columns: Any) -> pd.DataFrame:
    asked = {"provider_id": ["p2", "nobody", "p1"], "event_timestamp": [NOON + MINUTE] * 3}
    job = store.get_historical_features(pd.DataFrame(asked | columns), features)
    frame: pd.DataFrame = job.to_df()
    return frame


def test_other_columns_come_back_untouched(store: Any) -> None:
    """Columns that are no keys, and the order of rows, are as they were given."""
    found = _ask(store, ["provider_motion:ping_count"], note=["b", None, "a"], weight=[0.1, 2, 3])
    assert found["note"].tolist() == ["b", None, "a"]
    assert found["weight"].tolist() == [0.1, 2, 3]
    assert found["ping_count"].fillna(-1).tolist() == [2, -1, 1]


def test_times_may_be_text(store: Any) -> None:
    """As with Feast's own stores, event_timestamp may be text, and without a zone is UTC."""
    found = _ask(store, ["provider_motion:ping_count"], event_timestamp=["2026-01-05 12:01:00"] * 3)
    assert found["ping_count"].fillna(-1).tolist() == [2, -1, 1]


def test_no_rows_in_are_no_rows_out(store: Any) -> None:
    """An empty question has an empty answer with every column."""
    nothing = pd.DataFrame({"provider_id": [], "event_timestamp": pd.to_datetime([], utc=True)})
    nothing = nothing.astype({"provider_id": object})
    found = store.get_historical_features(nothing, references([PROVIDER_PROFILE])).to_df()
    assert len(found) == 0
    assert set(PROVIDER_PROFILE.column_names) <= set(found.columns)


def test_rows_from_before_a_feature_have_nulls(store: Any, tmp_path: Path) -> None:
    """A feature that only newer files have, or none yet, is null in the rows without it."""
    folder = tmp_path / "rows" / PROVIDER_MOTION.name
    table = table_of(PROVIDER_MOTION, PROVIDERS[:1], [NOON], [NOON], numbers=[1])
    without = table.drop_columns(["ping_count", "h3_cell"])
    for path in folder.rglob("*.parquet"):
        path.unlink()
    write_days(without, folder)
    features = ["provider_motion:ping_count", "provider_motion:h3_cell", "provider_motion:lat"]
    found = _ask(store, features)
    assert found[["ping_count", "h3_cell"]].isna().all(axis=None)
    assert found["lat"].notna().tolist() == [False, False, True]
    newer = table_of(PROVIDER_MOTION, PROVIDERS[1:], [NOON], [NOON], numbers=[2])
    pq.write_table(newer, folder / "date=2026-01-05" / "part-1.parquet")
    assert _ask(store, features)["ping_count"].fillna(-1).tolist() == [2, -1, -1]


def test_a_name_that_would_come_twice_is_refused(store: Any) -> None:
    """A feature does not hide a column of the question, nor another view's feature."""
    with pytest.raises(ValueError, match=r"two columns 'lat'.*full_feature_names=True"):
        _ask(store, ["provider_motion:lat"], lat=[1.0, 2.0, 3.0])


def test_a_query_instead_of_rows_is_refused(store: Any) -> None:
    """SQL text as entity_df is refused with what to do."""
    with pytest.raises(TypeError, match="entity_df is str, not a data frame: run the query"):
        store.get_historical_features("SELECT 1", ["provider_motion:lat"])


def test_a_range_of_rows_is_read_for_materialising(store: Any) -> None:
    """The newest row of each entity within a time range, whatever lies in other files."""
    view = store.get_feature_view("provider_profile")
    later = table_of(PROVIDER_PROFILE, PROVIDERS[:1], [NOON + MINUTE], [NOON + MINUTE], numbers=[5])
    write_days(later, Path(view.batch_source.path), "part-1.parquet")

    def pulled(end: pd.Timestamp) -> list[int]:
        job = AsOfOfflineStore.pull_latest_from_table_or_query(
            store.config,
            view.batch_source,
            ["provider_id"],
            ["contract_tier"],
            "event_timestamp",
            "created_timestamp",
            (NOON - MINUTE).to_pydatetime(),
            end.to_pydatetime(),
        )
        return sorted(job.to_df()["contract_tier"])

    assert pulled(NOON) == [1, 2]
    assert pulled(NOON + MINUTE) == [2, 5]


def test_a_retrieval_can_be_kept(store: Any, tmp_path: Path) -> None:
    """Feast's saved datasets work: what was retrieved is written and read back."""
    from feast.infra.offline_stores.file_source import SavedDatasetFileStorage  # noqa: PLC0415

    asked = pd.DataFrame({"provider_id": ["p2"], "event_timestamp": [NOON]})
    job = store.get_historical_features(asked, ["provider_motion:ping_count"])
    target = tmp_path / "saved.parquet"
    job.persist(SavedDatasetFileStorage(str(target)))
    assert pd.read_parquet(target)["ping_count"].tolist() == [2]
