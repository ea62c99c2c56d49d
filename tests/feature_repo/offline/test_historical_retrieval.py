"""Point-in-time retrieval over the project's views, held to a pandas oracle and to Feast's own."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feature_repo.schema import PROVIDER_MOTION, VIEWS, ViewSchema
from tests.feature_repo.offline.row_strategies import (
    SCHEMAS,
    START,
    Rows,
    all_views,
    entity_rows,
    grid,
)
from tests.support.offline_rows import (
    AS_OF_JOIN,
    FEAST_JOIN,
    open_store,
    references,
    table_of,
    write_days,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@dataclass(frozen=True)
class Offline:
    """A folder of offline rows, and two stores that read it."""

    folder: Path
    stores: dict[str, Any]

    def write(self, rows: dict[str, Rows]) -> None:
        """Replace what the views hold."""
        for schema in SCHEMAS:
            rows[schema.name].write(schema, self.folder / schema.name)

    def retrieve(self, join: str, entities: pd.DataFrame, *, once_created: bool) -> pd.DataFrame:
        """Return every feature of the views as of the entity rows, from one of the stores."""
        job = self.stores[join].get_historical_features(
            entities.copy(),
            references(SCHEMAS),
            full_feature_names=True,
            filter_by_created_timestamp=once_created,
        )
        frame: pd.DataFrame = job.to_df()
        return frame


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Offline]:
    """The project's views, registered over an empty folder."""
    directory = tmp_path_factory.mktemp("retrieval")
    for schema in VIEWS.values():
        write_days(table_of(schema, [("x",) * len(schema.join_keys)], [START], [START]),
                   directory / "rows" / schema.name)  # fmt: skip
    yield Offline(
        directory / "rows",
        {
            join: open_store(directory / join.rsplit(".", maxsplit=1)[-1], directory / "rows", join)
            for join in (AS_OF_JOIN, FEAST_JOIN)
        },
    )


def acceptable(
    schema: ViewSchema, rows: pd.DataFrame, entity: pd.Series, *, once_created: bool
) -> pd.DataFrame:
    """Return the rows that are right for an entity row: more than one if they tie, or none."""
    of_entity = (rows[list(schema.join_keys)] == entity[list(schema.join_keys)]).all(axis=1)
    age = entity["event_timestamp"] - rows["event_timestamp"]
    usable = of_entity & (age >= pd.Timedelta(0)) & (age <= pd.Timedelta(seconds=schema.ttl_s))
    if once_created:
        usable &= rows["created_timestamp"] <= entity["event_timestamp"]
    found = rows[usable]
    found = found[found["event_timestamp"] == found["event_timestamp"].max()]
    return found[found["created_timestamp"] == found["created_timestamp"].max()]


def same_values(schema: ViewSchema, found: pd.Series, row: pd.Series | None) -> bool:
    """Return whether a result has a row's values, nulls included; all nulls where it is None."""
    pairs = (
        (found[f"{schema.name}__{name}"], None if row is None else row[name])
        for name in schema.column_names
    )
    return all((pd.isna(a) and pd.isna(b)) or a == b for a, b in pairs)


checked = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@checked
@given(rows=all_views(distinct=False), entities=entity_rows(), once_created=st.booleans())
def test_retrieval_equals_a_pandas_oracle(
    offline: Offline, rows: dict[str, Rows], entities: pd.DataFrame, once_created: bool
) -> None:
    """Rows in are rows out, in their order, each with the newest row then known and not too old."""
    offline.write(rows)
    found = offline.retrieve(AS_OF_JOIN, entities, once_created=once_created)
    pd.testing.assert_frame_equal(found[entities.columns], entities, check_dtype=False)
    for schema in SCHEMAS:
        held = rows[schema.name].table(schema).to_pandas()
        for (_, row), (_, entity) in zip(found.iterrows(), entities.iterrows(), strict=True):
            right = acceptable(schema, held, entity, once_created=once_created)
            choices = [choice for _, choice in right.iterrows()] or [None]
            assert any(same_values(schema, row, choice) for choice in choices)


@checked
@given(rows=all_views(distinct=True), entities=entity_rows(), once_created=st.booleans())
def test_retrieval_equals_feasts_own_join(
    offline: Offline, rows: dict[str, Rows], entities: pd.DataFrame, once_created: bool
) -> None:
    """Where no two rows tie, Feast's own DuckDB store gives the same values and types."""
    offline.write(rows)
    ours = offline.retrieve(AS_OF_JOIN, entities, once_created=once_created)
    feasts = offline.retrieve(FEAST_JOIN, entities, once_created=once_created)
    feasts = feasts.sort_values("asked", ignore_index=True)
    features = [name for name in ours.columns if name not in entities.columns]
    pd.testing.assert_frame_equal(ours[features], feasts[features])


def test_a_late_row_hides_none_that_is_newer(offline: Offline) -> None:
    """A correction counts from when it was made, and never over a row of a newer event."""
    # row 1: made at once; row 2: a newer event; row 3: corrects row 1, late; row 4: corrects row 2
    rows = Rows(entity=[0] * 4, event=[1, 2, 1, 2], delay=[0, 0, 2, 2])
    offline.write({schema.name: rows for schema in SCHEMAS})
    step = grid(PROVIDER_MOTION)
    entities = pd.DataFrame({"provider_id": ["p1"] * 4, "cell": ["c1"] * 4, "service": ["tow"] * 4})
    entities["event_timestamp"] = [START + step * at for at in (1, 2, 3, 4)]
    found = offline.retrieve(AS_OF_JOIN, entities, once_created=True)
    assert found["provider_motion__ping_count"].tolist()[1:] == [1, 1, 3]
    found = offline.retrieve(AS_OF_JOIN, entities, once_created=False)
    assert found["provider_motion__ping_count"].tolist() == [2, 3, 3, 3]


@pytest.mark.parametrize(("older_us", "known"), [(0, True), (1, False)])
def test_a_row_is_used_until_its_ttl(offline: Offline, older_us: int, known: bool) -> None:
    """A row exactly as old as the TTL is used, and one a microsecond older is not."""
    rows = Rows(entity=[1, 0], event=[0, 0], delay=[0, 0])
    offline.write({schema.name: rows for schema in SCHEMAS})
    age = pd.Timedelta(seconds=PROVIDER_MOTION.ttl_s) + pd.Timedelta(older_us, "us")
    entities = pd.DataFrame({"provider_id": ["p1"], "cell": ["c1"], "service": ["tow"]})
    entities["event_timestamp"] = START + age
    found = offline.retrieve(AS_OF_JOIN, entities, once_created=True)
    assert found["provider_motion__ping_count"].notna().tolist() == [known]
