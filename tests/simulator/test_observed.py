"""What the jobs would know, held to each view's windows in plain Python."""

import math
from typing import Any

import msgspec
import numpy as np
import pytest

from feature_repo.schema import STREAM_VIEWS, TEXT_BYTES
from flink_jobs.event_schemas import (
    AvailabilityEvent,
    DispatchEvent,
    GpsEvent,
    TrafficEvent,
    WeatherEvent,
)
from simulator.case import Event
from simulator.journal import Journal
from simulator.observed import OBSERVED_VIEWS
from simulator.observed_windows import Rows
from simulator.reports import Intervals
from simulator.world import World, WorldSettings
from tests.flink_jobs import oracles
from tests.simulator.conftest import START_S

_SETTINGS = WorldSettings(25, 5, requests_per_hour=120, intervals=Intervals(30.0, 60.0, 60.0))
_MINUTES = 70
_Found = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def played() -> tuple[Journal, list[Event], dict[str, list[tuple[str, int, dict[str, float]]]]]:
    """A world's decisions, all its events, and each row that was read: key, time, values."""
    journal = Journal()
    world = World(_SETTINGS, START_S, "o", journal, observed=True)
    assert world.observed is not None
    events, read = world.everything(), {view: [] for view in OBSERVED_VIEWS}
    seen = 0
    for tick in range(1, 4 * _MINUTES + 1):
        events += world.tick(START_S + 15 * tick)
        for decision in journal.decisions[seen:]:
            now_ms = round(decision.choice.now_s * 1000)
            who, cell = decision.choice.candidates, decision.request.cell
            for view, declared in OBSERVED_VIEWS.items():
                if declared.join_key == "cell":
                    rows = world.observed.cell_rows(view, [cell], np.array([now_ms]))
                    keys = [cell]
                else:
                    rows = world.observed.provider_rows(view, who, np.full(len(who), now_ms))
                    keys = decision.provider_ids
                read[view] += [(k, now_ms, _row(rows, at)) for at, k in enumerate(keys)]
        seen = len(journal.decisions)
    return journal, events, read


def test_views_are_declared_as_the_feature_repository_has_them() -> None:
    """Names, order, types, keys and TTLs of the observed views are those of the schema."""
    assert tuple(OBSERVED_VIEWS) == tuple(view.name for view in STREAM_VIEWS)
    for schema in STREAM_VIEWS:
        declared = OBSERVED_VIEWS[schema.name]
        assert tuple(declared.kinds.items()) == tuple((c.name, c.kind) for c in schema.columns)
        assert (declared.join_key,) == schema.join_keys
        assert declared.ttl_s == schema.ttl_s


@pytest.mark.parametrize("view", list(OBSERVED_VIEWS))
def test_rows_are_those_of_the_windows_in_plain_python(
    played: tuple[Journal, list[Event], dict[str, Any]], view: str
) -> None:
    """Each row that a decision could read is the oracle's newest that was made by then."""
    _, events, read = played
    expected = _expected(view, events)
    key = OBSERVED_VIEWS[view].join_key
    observed_at = next(iter(OBSERVED_VIEWS[view].kinds))
    by_key: _Found = {}
    for row in expected:
        by_key.setdefault(row[key], []).append(row)
    compared = 0
    for entity, now_ms, found in read[view]:
        made = [row for row in by_key.get(entity, []) if row["made_ts"] <= now_ms]
        if not made:
            assert math.isnan(found["event_us"])
            continue
        newest = max(made, key=lambda row: (row["observed_ts"], row["made_ts"]))
        assert found["event_us"] == newest["observed_ts"] * 1000 == found[observed_at]
        assert found["created_us"] == newest["made_ts"] * 1000
        for name in list(OBSERVED_VIEWS[view].kinds)[1:]:
            _assert_same(found[name], newest[name], (entity, now_ms, name))
        compared += 1
    assert compared > 50


def test_a_reader_gets_every_feature_and_nothing_beyond_its_ttl() -> None:
    """At a decision all features are there by full name; hours without a report leave none."""
    world = World(_SETTINGS, START_S, "o", observed=True)
    assert world.observed is not None
    world.everything()
    world.tick(START_S + 60)
    world.tick(START_S + 120)
    who, cell = np.flatnonzero(world.fleet.on_shift)[:3], world.fields.cells.names[0]
    found = world.observed.as_of(who, cell, START_S + 120)
    names = {f"{v.name}__{column.name}" for v in STREAM_VIEWS for column in v.columns}
    assert set(found) == names
    assert all(len(column) == 3 for column in found.values())
    assert not np.isnan(found["provider_motion__lat"]).any()
    assert found["provider_availability__status"].dtype == f"S{TEXT_BYTES}"
    later = world.observed.as_of(who, cell, START_S + 2 * 3600)
    assert np.isnan(later["provider_motion__lat"]).all()
    assert not np.isnan(later["provider_availability__active_jobs"]).any()


def _row(rows: Rows, at: int) -> dict[str, Any]:
    columns = {**rows.columns, "event_us": rows.event_us, "created_us": rows.created_us}
    return {name: column[at] for name, column in columns.items()}


def _expected(view: str, events: list[Event]) -> list[dict[str, Any]]:
    def of(kind: type[Event]) -> list[dict[str, Any]]:
        return [msgspec.to_builtins(event) for event in events if type(event) is kind]

    if view == "provider_motion":
        return oracles.motion(of(GpsEvent))
    if view == "provider_availability":
        return oracles.availability(of(AvailabilityEvent), of(DispatchEvent))
    if view == "cell_conditions":
        return oracles.conditions(of(WeatherEvent), of(TrafficEvent))
    return oracles.demand(of(DispatchEvent))


def _assert_same(found: Any, expected: Any, where: object) -> None:
    if isinstance(expected, str):
        assert found.decode() == expected, where
    elif expected is None:
        assert math.isnan(found), where
    else:
        assert math.isclose(found, expected, rel_tol=1e-6, abs_tol=1e-6), (where, found, expected)
