"""One policy in one metro of one world, from the warm-up to the last outcome."""

from dataclasses import dataclass

import pandas as pd

from benchmarks.closed_loop.contenders import POLICIES, place_of
from benchmarks.closed_loop.game import TAIL_S, TICK_S, WARM_UP_S, Game
from benchmarks.closed_loop.ledger import Ledger
from benchmarks.closed_loop.requests import prefix
from simulator.policy import Policy
from simulator.world import World


@dataclass(frozen=True)
class Match:
    """What one process plays at a time."""

    seed: int
    metro: int
    policy: str


def play(game: Game, match: Match) -> pd.DataFrame:
    """Play a match; return a row a request that had a candidate (``ledger.row_of``).

    Raises:
        BundleError: The model bundle cannot be used.
    """
    contender = POLICIES[match.policy]
    policy = contender.make(place_of(game, match.seed, match.metro))
    return play_policy(game, match, policy, observes=contender.observes)


def play_policy(game: Game, match: Match, policy: Policy, *, observes: bool) -> pd.DataFrame:
    """Play a match with any policy, whatever the match calls it."""
    ledger = Ledger()
    world = World(
        game.world(match.seed),
        game.start_s - WARM_UP_S,
        prefix(match.seed),
        ledger,
        policy,
        metro=match.metro,
        observed=observes,
        silent=True,
    )
    world.everything()
    end_s = game.close_s + TAIL_S
    while world.now_s < end_s:
        is_open = world.now_s < game.close_s
        limit_s = game.close_s if is_open else end_s
        world.tick(min(world.now_s + TICK_S, limit_s), open_for_requests=is_open)
    return ledger.frame()
