import warnings
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.feature_repo.online.contract.conftest import read
from tests.support.feast_stores import (
    NOW,
    NUMBER,
    StoreUnderTest,
    apply,
    frame,
    rows_path,
    view_of,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from feast.types import FeastType, Int32, Int64, String

ODD_NAMES = ["vue d'été", "a*b[c]?", "row", "geo", "_ts", "view_2", 'q"uote', "back\\slash", "x\ny"]


def test_a_view_materialises(store: Any, tmp_path: Path) -> None:
    """`materialize` brings each entity's newest row of the range into the store."""
    old, new, later = (NOW + timedelta(hours=hours) for hours in (-3, -1, 1))
    rows = [
        {"driver": "a", "number": 1.0, "event_timestamp": old},
        {"driver": "a", "number": 2.0, "event_timestamp": new},
        {"driver": "b", "number": 3.0, "event_timestamp": later},
    ]
    frame(rows).to_parquet(rows_path("view", tmp_path), coerce_timestamps="us")
    store.materialize(NOW - timedelta(hours=4), NOW)
    assert read(store, ["view:number"], ["a", "b"]) == {"number": [2.0, None]}


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_view_may_have_any_name_that_feast_allows(store: Any, tmp_path: Path, name: str) -> None:
    """Its rows are its own: neither read, nor deleted with, those of a view of another name."""
    view, entities = view_of(name, NUMBER, tmp_path)
    apply(store, view, entities)
    store.push(f"{name}_push", frame([{"driver": "a", "number": 1.0}]))
    store.push("view_push", frame([{"driver": "a", "number": 2.0}]))
    assert read(store, [f"{name}:number"], ["a"]) == {"number": [1.0]}
    store.apply([], objects_to_delete=[view], partial=False)
    assert read(store, ["view:number"], ["a"]) == {"number": [2.0]}
    apply(store, view, entities)
    assert read(store, [f"{name}:number"], ["a"]) == {"number": [None]}


def test_projects_do_not_see_one_another(under_test: StoreUnderTest, tmp_path: Path) -> None:
    """Two projects have rows of their own for the same entity and view."""
    stores = {}
    for number, project in enumerate(("one", "ünï_cödé")):
        directory = tmp_path / project
        directory.mkdir()
        stores[project] = store = under_test.open(directory, project)
        apply(store, *view_of("view", NUMBER, directory))
        store.push("view_push", frame([{"driver": "a", "number": float(number)}]))
    assert read(stores["one"], ["view:number"], ["a"]) == {"number": [0.0]}
    assert read(stores["ünï_cödé"], ["view:number"], ["a"]) == {"number": [1.0]}


@pytest.mark.parametrize(
    ("keys", "entities"),
    [
        ({"z": String, "a": String}, [("1", "2"), ("2", "1"), ("", "é*?\n")]),
        ({"id": Int64}, [(1,), (-(2**63),), (2**63 - 1,)]),
        ({"small": Int32, "text": String, "large": Int64}, [(1, "1", 1), (1, "1", 2)]),
    ],
)
def test_entities_may_have_several_join_keys(
    under_test: StoreUnderTest,
    tmp_path: Path,
    keys: dict[str, FeastType],
    entities: list[tuple[Any, ...]],
) -> None:
    """Each combination of join keys, texts and numbers, has a row of its own."""
    store = under_test.open(tmp_path)
    apply(store, *view_of("view", NUMBER, tmp_path, keys))
    named = [dict(zip(keys, entity, strict=True)) for entity in entities]
    store.push("view_push", frame([{**e, "number": float(n)} for n, e in enumerate(named)]))
    assert read(store, ["view:number"], named) == {
        "number": [float(number) for number in range(len(entities))]
    }


def test_a_teardown_leaves_nothing_of_the_project(
    under_test: StoreUnderTest, tmp_path: Path
) -> None:
    """After a teardown the project's rows are gone, and another project's are there."""
    stores = []
    for project in ("torn", "kept"):
        directory = tmp_path / project
        directory.mkdir()
        stores.append(under_test.open(directory, project))
        apply(stores[-1], *view_of("view", NUMBER, directory))
        stores[-1].push("view_push", frame([{"driver": "a", "number": 1.0}]))
    torn, kept = stores
    torn.teardown()
    apply(torn, *view_of("view", NUMBER, tmp_path / "torn"))
    assert read(torn, ["view:number"], ["a"]) == {"number": [None]}
    assert read(kept, ["view:number"], ["a"]) == {"number": [1.0]}
