"""The world as it is played: who speaks, where they are, and what outcomes hang on."""

import ast
from pathlib import Path

import numpy as np
import pytest

import simulator
from flink_jobs.event_schemas import AvailabilityEvent, DispatchEvent, GpsEvent, WeatherEvent
from simulator import fields as fields_module
from simulator import luck, outcomes
from simulator.fields import Fields
from simulator.geography import cells_of, plane_km
from simulator.metros import METROS
from simulator.outcomes import CandidateState, Request
from simulator.providers import make_providers
from simulator.weather import Weather
from simulator.world import World, WorldSettings
from tests.simulator.conftest import SETTINGS, START_S


def test_simulator_imports_no_room_but_the_event_schemas() -> None:
    """No module of the simulator imports features, jobs, training or scoring."""
    ours = {"feature_repo", "flink_jobs", "training", "scoring", "deploy", "benchmarks"}
    for path in Path(simulator.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                is_ours = name.split(".")[0] in ours
                assert not is_ours or name == "flink_jobs.event_schemas", (path.name, name)


def test_history_and_live_play_the_same_providers() -> None:
    """Providers depend on count and seed alone, not on when the world starts."""
    one = World(SETTINGS, START_S, "a").providers
    other = World(SETTINGS, START_S + 12345, "b").providers
    assert one.ids == other.ids
    np.testing.assert_array_equal(one.hidden.quality, other.hidden.quality)
    np.testing.assert_array_equal(one.base_lat, other.base_lat)


def test_the_first_round_reports_everything() -> None:
    """The round before time moves has every provider's availability and every cell."""
    world = World(SETTINGS, START_S, "a")
    events = world.everything()
    reports = [e for e in events if isinstance(e, AvailabilityEvent)]
    assert sorted(e.provider_id for e in reports) == sorted(world.providers.ids)
    fixes = {e.provider_id for e in events if isinstance(e, GpsEvent)}
    assert fixes == {e.provider_id for e in reports if e.status != "offline"}
    weather = {e.cell for e in events if isinstance(e, WeatherEvent)}
    assert weather == set(world.fields.cells.names)


def test_each_source_reports_once_an_interval() -> None:
    """Over one GPS interval, ticked by seconds, every truck on the road reports exactly once."""
    world = World(WorldSettings(providers=50, seed=3, requests_per_hour=1e-6), START_S, "a")
    on_shift = {i for i, on in zip(world.providers.ids, world.fleet.on_shift, strict=True) if on}
    fixes: list[str] = []
    for second in range(1, 16):
        events = world.tick(START_S + second)
        fixes += [e.provider_id for e in events if isinstance(e, GpsEvent)]
    assert len(fixes) == len(set(fixes))
    assert set(fixes) == on_shift


def test_excluded_providers_are_silent() -> None:
    """An excluded provider reports nothing and is offered nothing."""
    names = frozenset(make_providers(60, 5, cells_of(METROS[0])).ids[:30])
    world = World(WorldSettings(60, 5, requests_per_hour=300, exclude=names), START_S, "a")
    events = world.everything()
    for minute in range(1, 20):
        events += world.tick(START_S + 60 * minute)
    offers = [e for e in events if isinstance(e, DispatchEvent) and e.kind == "offer"]
    assert offers
    spoken = {e.provider_id for e in events if isinstance(e, (GpsEvent, AvailabilityEvent))}
    assert not names & (spoken | {e.provider_id for e in offers})


def test_an_unknown_excluded_provider_is_refused() -> None:
    """A provider that this world has not is named, with the range that it has."""
    with pytest.raises(ValueError, match=r"\['nobody'\]: this world has den-00000 to den-00059"):
        World(WorldSettings(60, 5, exclude=frozenset({"nobody"})), START_S, "a")


def test_trucks_move_no_faster_than_trucks() -> None:
    """Between successive seconds no truck jumps farther than 130 km/h would carry it."""
    world = World(SETTINGS, START_S, "a")
    everyone = np.arange(len(world.providers))
    before = world.fleet.positions(everyone, START_S)
    for second in range(1, 900):
        world.tick(START_S + second)
        now = world.fleet.positions(everyone, START_S + second)
        assert plane_km(*before, *now).max() * 3600 < 130
        before = now


def test_jobs_in_hand_come_back_to_zero() -> None:
    """When requests stop, every job ends and every truck is free again."""
    world = World(SETTINGS, START_S, "a")
    world.tick(START_S + 1200)
    assert world.fleet.active_jobs.sum() > 0
    world.tick(START_S + 6 * 3600, open_for_requests=False)
    assert (world.fleet.active_jobs == 0).all()
    assert (world.fleet.lead_state == 0).all()


def test_eager_providers_accept_and_able_ones_succeed() -> None:
    """Acceptance follows the hidden eagerness and the road; success never exceeds acceptance."""
    providers = make_providers(400, 5, cells_of(METROS[0]))
    fields = Fields(cells_of(METROS[0]), 5)
    request = _request()
    who = np.arange(400)
    state = CandidateState(
        index=who,
        lat=providers.base_lat,
        lon=providers.base_lon,
        active_jobs=np.zeros(400, dtype=np.int64),
        minutes_to_shift_end=np.full(400, 300.0),
        mood=np.zeros(400),
    )
    found = outcomes.prospects(providers, fields, request, state, START_S)
    assert np.corrcoef(found.accept_probability, providers.hidden.eagerness)[0, 1] > 0.3
    assert np.corrcoef(found.accept_probability, found.drive_min)[0, 1] < -0.3
    chance = outcomes.success_probability(found, request)
    assert (chance <= found.accept_probability).all()
    draws = outcomes.draw(found, "tow", luck.uniforms(2, who, outcomes.DRAWS_EACH))
    assert abs(draws.accepts.mean() - found.accept_probability.mean()) < 0.08


def test_fixes_are_as_true_as_they_say() -> None:
    """A fix lies some metres from the truck, as far as its accuracy says, and no kilometre."""
    world = World(SETTINGS, START_S, "a")
    at = {id_: index for index, id_ in enumerate(world.providers.ids)}
    fixes = [e for e in world.everything() if isinstance(e, GpsEvent)]
    lat, lon = world.fleet.positions(np.array([at[e.provider_id] for e in fixes]), START_S)
    off_m = 1000 * plane_km(lat, lon, [e.lat for e in fixes], [e.lon for e in fixes])
    accuracy_m = np.array([e.accuracy_m for e in fixes])
    assert np.median(off_m / accuracy_m) == pytest.approx(0.5, abs=0.2)


def test_as_many_ask_as_are_said_to() -> None:
    """Over days the requests of an hour are about as many as the settings have it."""
    world = World(WorldSettings(40, 5, requests_per_hour=200), START_S, "a")
    asked = [
        len(world._demand.between(START_S + 3600 * hour, START_S + 3600 * (hour + 1)))
        for hour in range(96)
    ]
    # weather and surges move it; they are not part of the rate that is asked for
    assert np.mean(asked) == pytest.approx(200, rel=0.3)


def test_snow_falls_only_in_frost() -> None:
    """Over ten days snow lies only where it is below zero, and it rains hard at times."""
    fields = Fields(cells_of(METROS[0]), 5)
    hours = [fields.at(START_S + 3600 * hour) for hour in range(240)]
    temp, snow, rain = (
        np.array([getattr(now, name) for now in hours])
        for name in ("temp_c", "snow_cm", "precip_mm_h")
    )
    assert snow[temp < 0].max() > 0
    assert (snow[temp >= 0] == 0).all()
    assert rain.max() > 5


def test_a_storm_brings_requests_beyond_its_rain(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of a storm 2.2 times as many ask as outside of it in the same weather."""
    cells = cells_of(METROS[0])
    zeros = np.zeros(len(cells.names))
    demand = []
    for storm in (0.0, 1.0):
        weather = Weather(zeros + 5, zeros, zeros + 9, zeros + storm)
        monkeypatch.setattr(fields_module, "weather_at", lambda *_, w=weather: w)
        demand.append(Fields(cells, 5).at(START_S).demand)
    np.testing.assert_allclose(demand[1], 2.2 * demand[0])


def test_rush_hour_slows_the_roads() -> None:
    """Traffic in the centre is slower at eight in the morning than at three at night."""
    fields = Fields(cells_of(METROS[0]), 5)
    midnight = START_S - 15 * 3600 + 7 * 3600  # solar midnight in Denver, within minutes
    centre = fields.cells.centrality > 0.7
    rush = fields.at(midnight + 8 * 3600).speed_ratio[centre].mean()
    night = fields.at(midnight + 3 * 3600).speed_ratio[centre].mean()
    assert rush < night - 0.2


def _request() -> Request:
    metro = METROS[0]
    return Request(
        number=1,
        event_id="e",
        time_s=START_S,
        lat=metro.lat,
        lon=metro.lon,
        cell="",
        metro="den",
        service="tow",
        vehicle_class=1,
        promised_minutes=25.0,
        patience_minutes=60.0,
    )
