"""Policies asked at the same decisions."""

from dataclasses import replace

import pandas as pd
import pytest

from benchmarks.closed_loop import ablate
from benchmarks.closed_loop.game import Game
from benchmarks.closed_loop.play import Match, play


@pytest.fixture(scope="module")
def noted(game: Game) -> pd.DataFrame:
    """What three policies would have chosen while nearest played."""
    policies = ("nearest", "informed", "oracle")
    return ablate.ask(replace(game, days=0.1), policies, plays="nearest")


def test_the_oracle_chooses_best_at_every_single_decision(noted: pd.DataFrame) -> None:
    """At the same decision nobody's first choice has a higher true chance than the oracle's."""
    by_policy = noted.pivot(index="event_id", columns="policy", values="success")
    assert len(by_policy) > 20
    assert (by_policy["oracle"] >= by_policy.max(axis=1)).all()
    found = ablate.chances(noted)
    assert found["nearest"]["success"].value < found["informed"]["success"].value


def test_the_factors_make_up_the_chance(noted: pd.DataFrame) -> None:
    """Accepting, completing and being in time multiply to success, and each is a chance."""
    product = noted["accepts"] * noted["completes"] * noted["in_time"]
    pd.testing.assert_series_equal(product, noted["success"], check_names=False)
    assert noted[list(ablate.PARTS)].stack().between(0, 1 + 1e-9).all()


def test_asking_changes_nothing_that_is_played(game: Game, noted: pd.DataFrame) -> None:
    """The first choices noted of the policy that plays are those of its own play."""
    assert (noted["event_id"] > "loop5-den-0000001").all()  # the warm-up is not asked about
    alone = play(replace(game, days=0.1), Match(5, 0, "nearest"))
    of_nearest = noted[noted["policy"] == "nearest"].set_index("event_id")["success"]
    played = alone.set_index("event_id")["first_choice_chance"].loc[of_nearest.index]
    pd.testing.assert_series_equal(of_nearest.sort_index(), played.sort_index(), check_names=False)
