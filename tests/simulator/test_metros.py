"""Metros: how many providers each has, what they look like, and that they stand alone."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simulator import history
from simulator.geography import cells_of, plane_km
from simulator.history import Contents
from simulator.metros import METROS, providers_of
from simulator.providers import make_providers
from tests.simulator.conftest import SETTINGS, SPAN

_TWO = dataclasses.replace(SETTINGS, metros=2)


@pytest.fixture(scope="module")
def two_metros(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of two metros with feature rows and no events, played one after the other."""
    directory = tmp_path_factory.mktemp("two")
    summary = history.write(_TWO, SPAN, directory, contents=Contents(False, True))
    assert summary.decisions > 0
    return directory


def test_there_are_forty_and_denver_is_first() -> None:
    """At least forty metros with names of their own; the local stack plays the first."""
    assert len({metro.name for metro in METROS}) == len(METROS) >= 40
    assert METROS[0].name == "den"


def test_providers_are_in_proportion_to_people() -> None:
    """80,000 providers are all given out, to each metro within ten of its share."""
    counts = np.array(providers_of(80_000, METROS))
    people = np.array([metro.population for metro in METROS])
    assert counts.sum() == 80_000
    assert (np.abs(counts - 80_000 * people / people.sum()) < 10).all()


def test_fewer_providers_than_metros_are_refused() -> None:
    """A metro without anybody cannot be played: the message says what to give."""
    with pytest.raises(ValueError, match="2 providers for 3 metros: give at least one provider"):
        providers_of(2, METROS[:3])


@pytest.mark.parametrize("metro", METROS[:4], ids=lambda metro: metro.name)
def test_the_centre_is_denser_than_the_edge(metro: object) -> None:
    """People and bases are thick in the centre and thin at the edge, and suburbs stick out."""
    cells = cells_of(next(m for m in METROS if m == metro))
    away = plane_km(cells.metro.lat, cells.metro.lon, cells.lat, cells.lon)
    inner, outer = away < np.quantile(away, 0.1), away > np.quantile(away, 0.8)
    assert cells.density[inner].mean() > 3 * cells.density[outer].mean()
    assert abs(cells.density.mean() - 1) < 1e-9
    assert cells.density[outer].max() > 3 * np.median(cells.density[outer])
    providers = make_providers(500, 5, cells)
    based = plane_km(cells.metro.lat, cells.metro.lon, providers.base_lat, providers.base_lon)
    assert np.median(based) < np.median(away)


def test_the_nearest_cell_is_nearest() -> None:
    """Of random points the raster gives the cell whose centre is nearest, to its 250 m."""
    cells = cells_of(METROS[0])
    rng = np.random.default_rng(1)
    lat = METROS[0].lat + rng.uniform(-0.1, 0.1, 400)
    lon = METROS[0].lon + rng.uniform(-0.1, 0.1, 400)
    found = plane_km(lat, lon, *(c[cells.nearest(lat, lon)] for c in (cells.lat, cells.lon)))
    best = plane_km(lat[:, None], lon[:, None], cells.lat, cells.lon).min(axis=1)
    assert (found - best).max() < 0.4


def test_the_archive_is_the_same_whatever_the_processes(two_metros: Path, tmp_path: Path) -> None:
    """Two processes write byte for byte what one writes."""
    history.write(_TWO, SPAN, tmp_path, contents=Contents(False, True), processes=2)
    files = {p.relative_to(two_metros): p.read_bytes() for p in two_metros.rglob("*.parquet")}
    again = {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob("*.parquet")}
    assert again == files
    assert {path.stem for path in files} == {"den", "nyc"}


def test_an_archive_without_events_has_the_same_decisions(two_metros: Path, tmp_path: Path) -> None:
    """Nobody's decisions change because nobody listens."""
    history.write(_TWO, SPAN, tmp_path, contents=Contents(True, False))
    for table in ("decisions", "outcomes", "truth"):
        assert pd.read_parquet(tmp_path / table).equals(pd.read_parquet(two_metros / table))
    assert (tmp_path / "events").is_dir()
    assert not (two_metros / "events").is_dir()


def test_outcomes_lie_on_the_day_of_their_offer(two_metros: Path) -> None:
    """A part has only its day's rows, so that a correction lies with its offer."""
    for table, name in (("decisions", "request_ts"), ("outcomes", "offered_ts")):
        frame = pd.read_parquet(two_metros / table)
        assert (frame[name].dt.strftime("%Y-%m-%d") == frame["date"].astype(str)).all()
        assert len(frame) > 100


def test_feature_rows_are_there_for_every_candidate(two_metros: Path) -> None:
    """Each candidate has a motion row and an availability row made by then, none is twice."""
    decisions = pd.read_parquet(two_metros / "decisions").sort_values("request_ts")
    late = decisions[decisions["request_ts"] > decisions["request_ts"].min() + pd.Timedelta("5min")]
    for view in ("provider_motion", "provider_availability"):
        rows = pd.read_parquet(two_metros / "offline" / view)
        assert not rows.duplicated(["provider_id", "event_timestamp", "created_timestamp"]).any()
        rows = rows.sort_values("created_timestamp")
        joined = pd.merge_asof(
            late, rows, left_on="request_ts", right_on="created_timestamp", by="provider_id"
        )
        age = joined["request_ts"] - joined["event_timestamp"]
        assert age.notna().mean() > 0.99
        assert (age.dropna() >= pd.Timedelta(0)).all()
