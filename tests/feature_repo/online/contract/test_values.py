import asyncio
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.feature_repo.online.contract.conftest import close, read
from tests.support.feast_stores import NOW, ROWS, StoreUnderTest, apply, frame, view_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from feast.protos.feast.serving.ServingService_pb2 import FieldStatus
    from feast.types import (
        Bool,
        FeastType,
        Float32,
        Float64,
        Int32,
        Int64,
        String,
        UnixTimestamp,
    )

SECONDS = st.integers(0, 7_000_000_000).map(lambda s: datetime.fromtimestamp(s, UTC))
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=4)
VALUES: dict[FeastType, st.SearchStrategy[Any]] = {
    Float32: st.floats(width=32, allow_nan=False),
    Float64: st.floats(allow_nan=False),
    Int32: st.integers(-(2**31), 2**31 - 1),
    Int64: st.integers(-(2**53), 2**53),  # Feast makes a column with a null one of floats
    Bool: st.booleans(),
    String: TEXT,
    UnixTimestamp: SECONDS,
}
FEATURES = {f"of_{kind}".lower(): kind for kind in VALUES}
NAMES = [f"view:{name}" for name in FEATURES]


@pytest.fixture
def all_types(under_test: StoreUnderTest, tmp_path: Path) -> Any:
    """A feature store with a view of one feature of every type."""
    opened = under_test.open(tmp_path)
    apply(opened, *view_of("view", FEATURES, tmp_path))
    return opened


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(
        st.fixed_dictionaries({name: st.none() | VALUES[kind] for name, kind in FEATURES.items()}),
        min_size=1,
        max_size=3,
    ).filter(lambda rows: any(value is not None for value in rows[0].values()))
)
def test_every_value_of_every_type_comes_back(all_types: Any, rows: list[dict[str, Any]]) -> None:
    """What is pushed is read: the same value of the same type, null for null."""
    drivers = [uuid4().hex for _ in rows]
    keyed = [{"driver": driver, **row} for driver, row in zip(drivers, rows, strict=True)]
    all_types.push("view_push", frame(keyed))
    answer = read(all_types, NAMES, drivers)
    for name in FEATURES:
        written = [row[name] for row in rows]
        assert answer[name] == written
        assert [type(value) for value in answer[name]] == [type(value) for value in written]


def test_the_sync_and_the_async_way_are_the_same(all_types: Any) -> None:
    """Feast's async push and read write and read what the sync ones do."""
    row = {"of_float64": 1.5, "of_string": "x", "of_unixtimestamp": NOW, "of_int64": None}
    pushed = frame([{"driver": "a", **dict.fromkeys(FEATURES), **row}])
    asked = NAMES, [{"driver": driver} for driver in ("a", "unseen")]

    async def push_and_read() -> Any:
        await all_types.push_async("view_push", pushed)
        answer = await all_types.get_online_features_async(*asked)
        await close(all_types)
        return answer.proto

    answer = asyncio.run(push_and_read())
    assert answer == all_types.get_online_features(*asked).proto
    assert read(all_types, NAMES, ["a"])["of_float64"] == [1.5]


def test_nan_is_null(store: Any) -> None:
    """NaN in a data frame is null, as Feast has it."""
    store.push(
        "view_push",
        frame([{"driver": "a", "number": 1.0}, {"driver": "b", "number": float("nan")}]),
    )
    assert read(store, ["view:number"], ["a", "b"]) == {"number": [1.0, None]}


def test_what_was_found_is_told(store: Any, under_test: StoreUnderTest) -> None:
    """A row has its event time and is PRESENT, null or not; an entity without one is null.

    Feast's own Redis store calls the value of an entity that it has never seen PRESENT; the row
    store says NOT_FOUND, as Feast's other stores do.
    """
    rows = [{"driver": "a", "number": 1.0}, {"driver": "null", "number": None}]
    store.push("view_push", frame(rows))
    answer = store.get_online_features(
        ["view:number"], [{"driver": driver} for driver in ("a", "null", "unseen")]
    )
    (place,) = [i for i, n in enumerate(answer.proto.metadata.feature_names.val) if n == "number"]
    found = answer.proto.results[place]
    unseen = FieldStatus.NOT_FOUND if under_test.name == ROWS else FieldStatus.PRESENT
    assert list(found.statuses) == [FieldStatus.PRESENT, FieldStatus.PRESENT, unseen]
    assert answer.to_dict()["number"] == [1.0, None, None]
    times = [moment.ToDatetime(UTC) for moment in found.event_timestamps]
    assert times == [NOW, NOW, datetime.fromtimestamp(0, UTC)]


def test_the_newest_event_is_kept(store: Any) -> None:
    """Whatever the order of pushes and within a push, the row of the newest event is read."""
    for seconds, number in ((10, 10.0), (5, 5.0), (20, 20.0), (0, 0.0)):
        moment = NOW + timedelta(seconds=seconds)
        store.push("view_push", frame([{"driver": "a", "number": number}], moment))
    rows = [{"driver": "b", "number": float(s), "event_timestamp": NOW + timedelta(seconds=s)}
            for s in (3, 9, 6)]  # fmt: skip
    store.push("view_push", frame(rows))
    assert read(store, ["view:number"], ["a", "b"]) == {"number": [20.0, 9.0]}


def test_a_read_brings_what_it_asks_for(all_types: Any) -> None:
    """Some features, in another order, for entities that are named twice."""
    rows = [{"driver": d, **dict.fromkeys(FEATURES), "of_int32": n, "of_bool": n > 1}
            for d, n in (("a", 1), ("b", 2))]  # fmt: skip
    all_types.push("view_push", frame(rows))
    answer = read(all_types, ["view:of_bool", "view:of_int32"], ["b", "a", "b"])
    assert answer == {"of_bool": [True, False, True], "of_int32": [2, 1, 2]}
