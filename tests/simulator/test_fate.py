"""What would have become of other candidates, under the same draws."""

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
