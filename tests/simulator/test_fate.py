"""What would have become of other candidates, under the same draws."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from simulator import luck, policy
from simulator.fate import fate_of
from simulator.journal import Journal
from simulator.world import World
from tests.simulator.conftest import SETTINGS, START_S


@pytest.fixture(scope="module")
def journal() -> Journal:
    """Two hours of decisions, played to their ends."""
    kept = Journal()
    world = World(SETTINGS, START_S, "f", kept)
    for minute in range(1, 121):
        world.tick(START_S + 60 * minute)
    for minute in range(121, 121 + 480):
        world.tick(START_S + 60 * minute, open_for_requests=False)
    return kept


def _decision(**drawn: Any) -> Any:
    """One candidate, asked at 1,000 s: 10 min to roll, 15 to drive; promised in 30, waits 40."""
    usual = {
        "accepts": True, "answers": True, "completes": True, "response_s": 30.0,
        "mobilise_min": 10.0, "drive_min": 15.0, "on_scene_min": 12.0, "fails_at_share": 0.5,
        "satisfaction_noise": -0.5, "satisfaction_answered": True, "satisfaction_delay_min": 60.0,
    }  # fmt: skip
    of_one = {name: np.array([value]) for name, value in (usual | drawn).items()}
    return SimpleNamespace(
        draws=SimpleNamespace(**of_one),
        request=SimpleNamespace(time_s=1000.0, promised_minutes=30.0, patience_minutes=40.0),
        choice=SimpleNamespace(
            truth=SimpleNamespace(prospects=SimpleNamespace(satisfaction_base=np.array([4.2])))
        ),
    )


@pytest.mark.parametrize(
    ("drawn", "offered_s", "expected"),
    [
        ({"accepts": False}, None, {"end": "declined", "answered_s": 1033.0}),
        # the desk waits a minute and a half for who says nothing
        ({"accepts": False, "answers": False}, None, {"answered_s": 1093.0, "silent": True}),
        ({}, None, {"end": "completed", "leaves_s": 1633.0, "arrives_s": 2533.0, "score": 4,
                    "ended_s": 3253.0, "scored_s": 6853.0, "success": True}),
        ({"drive_min": 20.0}, None, {"end": "completed", "success": False, "score": 4}),
        ({"drive_min": 28.0}, None, {"end": "completed", "success": False, "score": 3}),
        ({"completes": False}, None, {"end": "failed", "ended_s": 1783.0, "success": False}),
        # patience counts from the request, the promise from the offer
        ({}, 2200.0, {"end": "driver_left", "arrives_s": 3730.0, "ended_s": 3400.0}),
        ({}, 1600.0, {"end": "completed", "success": True}),
        ({"satisfaction_answered": False}, None, {"score": None, "scored_s": None}),
    ],
)  # fmt: skip
def test_an_offer_ends_as_its_draws_have_it(
    drawn: dict[str, Any], offered_s: float | None, expected: dict[str, Any]
) -> None:
    """Times, success and score of one offer are what paper and pencil make of its draws."""
    found = fate_of(_decision(**drawn), 0, offered_s)
    assert {name: getattr(found, name) for name in expected} == expected


def test_what_was_played_is_what_the_draws_tell(journal: Journal) -> None:
    """For every offer that was made, the what-if is the outcome: answer, arrival, end and score."""
    ends = set()
    for decision in journal.decisions:
        position = {rank: at for at, rank in enumerate(decision.offer_rank.tolist()) if rank}
        first = {o.provider_id: o for o in decision.outcomes}.values()
        for rank, outcome in enumerate(first, start=1):
            fate = fate_of(decision, position[rank], outcome.offered_s)
            if fate.end != "declined" and not outcome.accepted:
                continue  # it was not free any more when it answered
            ends.add(fate.end)
            assert outcome.accepted == (fate.end != "declined")
            arrived = fate.arrives_s if fate.end == "completed" else None
            assert outcome.arrived_s == arrived
            assert outcome.completed_s == (fate.ended_s if fate.end == "completed" else None)
            assert (outcome.satisfaction, outcome.satisfaction_s) == (fate.score, fate.scored_s)
            on_time = arrived is not None and arrived <= outcome.promised_arrival_s
            assert fate.success == on_time
    assert ends == {"declined", "failed", "driver_left", "completed"}


def test_counterfactuals_succeed_as_often_as_the_true_chance(journal: Journal) -> None:
    """Over all candidates, asked or not, successes are as many as their chances add up to."""
    chances, successes = [], []
    for decision in journal.decisions:
        chances += decision.success_probability.tolist()
        successes += [fate_of(decision, at).success for at in range(len(decision.offer_rank))]
    # a driver who leaves before the truck is there is no success, and no part of the chance
    expected, spread = np.sum(chances), np.sqrt(np.sum(np.array(chances) * (1 - np.array(chances))))
    assert len(chances) > 2000
    assert abs(np.sum(successes) - expected) < 4 * spread


def test_policies_meet_the_same_luck() -> None:
    """The same candidate of the same first request would do the same under another policy."""
    first = []
    for of in (policy.Logging(), policy.Nearest()):
        kept = Journal()
        World(SETTINGS, START_S, "f", kept, of).tick(START_S + 300)
        decision = kept.decisions[0]
        first.append([fate_of(decision, at) for at in range(len(decision.offer_rank))])
    assert first[0] == first[1]


def test_draws_hang_on_the_provider_alone() -> None:
    """A provider's draws do not change with who else is asked, and are evenly spread."""
    key = luck.key_of(7, "den", 1)
    together = luck.uniforms(key, np.array([4, 9, 2]), 11)
    np.testing.assert_array_equal(together[:, 1:2], luck.uniforms(key, np.array([9]), 11))
    assert not np.isclose(
        together, luck.uniforms(luck.key_of(7, "den", 2), np.array([4, 9, 2]), 11)
    ).any()
    many = luck.uniforms(key, np.arange(5000), 4)
    np.testing.assert_allclose(many.mean(axis=1), 0.5, atol=0.02)
    np.testing.assert_allclose(many.var(axis=1), 1 / 12, atol=0.004)
    assert (np.abs(np.corrcoef(many) - np.eye(4)) < 0.06).all()
