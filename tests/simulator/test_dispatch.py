"""Who is asked, how often, and what the streams say of it."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from flink_jobs.event_schemas import DispatchEvent
from simulator import jobs
from simulator.candidates import MOST_CANDIDATES, CandidateSearch
from simulator.dispatch import MOST_OFFERS
from simulator.fate import fate_of
from simulator.fleet import EN_ROUTE, IDLE, Fleet
from simulator.geography import cells_of, plane_km
from simulator.journal import Journal
from simulator.metros import METROS
from simulator.providers import SERVICES, make_providers
from simulator.world import World
from tests.simulator.conftest import SETTINGS, START_S


@dataclass(frozen=True)
class Played:
    """Two hours of requests and what became of them."""

    world: World
    journal: Journal
    steps: dict[str, list[DispatchEvent]]
    """Of each request, in order."""
    most_jobs_over_capacity: int


def _play(minutes: int = 120) -> Played:
    journal, over = Journal(), []
    steps: dict[str, list[DispatchEvent]] = defaultdict(list)
    world = World(SETTINGS, START_S, "d", journal)
    for minute in range(1, minutes + 480):
        events = world.tick(START_S + 60 * minute, open_for_requests=minute <= minutes)
        for event in events:
            if isinstance(event, DispatchEvent):
                steps[event.event_id].append(event)
        over.append(int((world.fleet.active_jobs - world.providers.capacity).max()))
    return Played(world, journal, steps, max(over))


@pytest.fixture(scope="module")
def played() -> Played:
    """Two hours of 60 providers."""
    return _play()


def test_offers_go_one_after_another_and_six_at_most(played: Played) -> None:
    """Who is offered a job comes in the policy's order; after six, or all, the desk gives up."""
    counts: Counter[int] = Counter()
    for decision in played.journal.decisions:
        order = decision.ranking.order[: decision.offers_made]
        assert decision.offer_rank[order].tolist() == list(range(1, decision.offers_made + 1))
        kinds = [step.kind for step in played.steps[decision.request.event_id]]
        ended_unserved = "accept" not in kinds
        most = min(MOST_OFFERS, len(decision.ranking.order))
        assert decision.offers_made == most if ended_unserved else decision.offers_made <= most
        assert ended_unserved <= (kinds[-1] == "cancel")
        counts[decision.offers_made] += 1
    assert {1, 2, MOST_OFFERS} <= set(counts)


def test_a_decline_is_told_and_silence_is_not(played: Played) -> None:
    """Each offer of a request has its accept, its decline, or nothing from who says nothing."""
    silent = 0
    for decision in played.journal.decisions:
        told = {(step.provider_id, step.kind) for step in played.steps[decision.request.event_id]}
        first = {outcome.provider_id: outcome for outcome in decision.outcomes}
        for position, provider in enumerate(decision.provider_ids):
            if provider not in first:
                continue
            says_nothing = fate_of(decision, position).silent
            accepted = bool(first[provider].accepted)
            assert ((provider, "accept") in told) == accepted
            assert ((provider, "decline") in told) == (not accepted and not says_nothing)
            silent += says_nothing
    assert silent > 10


def test_who_gives_up_is_replaced(played: Played) -> None:
    """After an accepted job fails the next candidate is asked, under the same request."""
    failed = replaced = 0
    for decision in played.journal.decisions:
        given_up = [
            outcome for outcome in decision.outcomes if outcome.accepted and outcome.cancelled_s
        ]
        for outcome in given_up:
            later = [o for o in decision.outcomes if o.offered_s == outcome.cancelled_s]
            failed += 1
            replaced += len(later)
    # the others are corrections, drivers who left, or had no candidate left
    assert failed > 10
    assert replaced > failed / 3


def test_nobody_has_more_jobs_than_trucks(played: Played) -> None:
    """Who took another job meanwhile cannot accept: jobs never exceed the capacity."""
    assert played.most_jobs_over_capacity == 0


def test_a_wrong_booking_is_corrected_two_hours_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """One completed job in a hundred; here all are booked as cancelled first, then corrected."""
    assert jobs._CORRECTED_SHARE == 0.01
    monkeypatch.setattr(jobs, "_CORRECTED_SHARE", 1.0)
    corrected = 0
    for decision in _play(30).journal.decisions:
        for outcome in decision.outcomes:
            if outcome.completed_s is None:
                continue
            wrong, right = [o for o in decision.outcomes if o.provider_id == outcome.provider_id]
            assert right is outcome
            assert (wrong.completed_s, wrong.cancelled_s) == (None, right.completed_s)
            assert right.completed_s is not None
            assert right.recorded_s == right.completed_s + 2 * 3600
            assert wrong.recorded_s == wrong.offered_s
            corrected += 1
    assert corrected > 10


@pytest.mark.parametrize("vehicle_class", [1, 3])
@pytest.mark.parametrize(("north_deg", "is_full"), [(0.05, True), (0.25, False)])
def test_candidates_are_the_nearest_of_those_who_may(
    vehicle_class: int, north_deg: float, is_full: bool
) -> None:
    """Of the free ones who offer the service and the class, and reach so far, the nearest forty.

    Beyond the metro's edge only the contracts that reach so far decide.
    """
    cells = cells_of(METROS[0])
    providers = make_providers(400, 5, cells)
    fleet = Fleet(providers, START_S, np.random.default_rng(1))
    fleet.active_jobs[::7] = providers.capacity[::7]
    playable = np.arange(400) % 5 > 0
    where = (METROS[0].lat + north_deg, METROS[0].lon)
    request: Any = SimpleNamespace(
        service="tow", vehicle_class=vehicle_class, lat=where[0], lon=where[1]
    )
    found, distance_km = CandidateSearch(METROS[0], fleet, playable).nearest(request, START_S)
    may = playable & providers.offers[:, SERVICES.index("tow")] & fleet.on_shift
    may &= providers.max_vehicle_class >= vehicle_class
    may &= fleet.active_jobs < providers.capacity
    based_km = plane_km(*where, providers.base_lat, providers.base_lon)
    may &= based_km <= providers.radius_km + 0.02  # two projections differ by metres
    away = plane_km(*where, *fleet.positions(np.arange(400), START_S))
    expected = np.flatnonzero(may)[np.argsort(away[may], kind="stable")][:MOST_CANDIDATES]
    assert found.tolist() == expected.tolist()
    if vehicle_class == 1:
        assert (len(found) == MOST_CANDIDATES) == is_full
    np.testing.assert_allclose(distance_km, away[expected])


def test_a_second_truck_comes_from_the_base() -> None:
    """Who has its tracked truck on a job would send another from its base."""
    providers = make_providers(20, 5, cells_of(METROS[0]))
    fleet = Fleet(providers, START_S, np.random.default_rng(1))
    everyone = np.arange(20)
    fleet.lead_state[:10] = EN_ROUTE
    lat, _ = fleet.whereabouts(everyone, START_S)
    idle = fleet.lead_state == IDLE
    np.testing.assert_array_equal(lat[~idle], providers.base_lat[~idle])
    np.testing.assert_array_equal(lat[idle], fleet.positions(everyone, START_S)[0][idle])
    assert (lat[idle] != providers.base_lat[idle]).all()


def test_moods_return_and_stay_as_wide() -> None:
    """A mood remembers for two hours: its spread stays 1, and its past fades by e."""
    providers = make_providers(4000, 5, cells_of(METROS[0]))
    fleet = Fleet(providers, START_S, np.random.default_rng(1))
    before = fleet.mood.copy()
    for minute in range(1, 121):
        fleet.tick(START_S + 60 * minute, 60.0)
    assert fleet.mood.std() == pytest.approx(1, abs=0.05)
    assert np.corrcoef(before, fleet.mood)[0, 1] == pytest.approx(np.exp(-1), abs=0.05)
