"""Why the gap is not closed: every policy is asked at the same decisions, and the truth judges.

Played weeks differ in who is free when; here one policy plays, and of the others only their first
choices count. So the difference between two of them is theirs alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.table import Table

from benchmarks.closed_loop.contenders import MODEL, POLICIES, place_of
from benchmarks.closed_loop.game import Game
from benchmarks.closed_loop.play import Match, play_policy
from simulator.metros import METROS
from simulator.policy import Choice, Policy, Ranking
from training.evaluation.intervals import Estimate, EventSums, estimates

PARTS = ("success", "accepts", "completes", "in_time")
"""The true chance of the first choice, and its three factors."""
ABLATION = "ablation.json"
_SEED = 7


@dataclass
class Asking:
    """A policy that also asks others what they would choose first, and notes the truth of it."""

    plays: Policy
    asked: Mapping[str, Policy]
    from_s: float
    noted: list[dict[str, object]] = field(default_factory=list)

    def rank(self, choice: Choice, rng: np.random.Generator) -> Ranking:
        """Order as the policy that plays; the others get generators of their own."""
        asked = self.asked if choice.now_s >= self.from_s else {}
        for name, policy in asked.items():
            first = int(policy.rank(choice, np.random.default_rng(choice.request.number)).order[0])
            self.noted.append(
                {"policy": name, "event_id": choice.request.event_id, **_truth(choice, first)}
            )
        return self.plays.rank(choice, rng)


def ask(game: Game, policies: tuple[str, ...], plays: str = MODEL) -> pd.DataFrame:
    """Play a game with one policy and return a row a decision and policy asked: ``PARTS``."""
    frames = []
    for seed in game.seeds:
        for metro in game.played:
            place = place_of(game, seed, metro)
            asked = {name: POLICIES[name].make(place) for name in policies}
            asking = Asking(POLICIES[plays].make(place), asked, game.start_s)
            play_policy(game, Match(seed, metro, plays), asking, observes=True)
            frames.append(pd.DataFrame(asking.noted).assign(seed=seed, metro=METROS[metro].name))
    return pd.concat(frames, ignore_index=True)


def chances(noted: pd.DataFrame) -> dict[str, dict[str, Estimate]]:
    """Return the mean of each part for each policy, with intervals over decisions."""
    found = {}
    for name, of in noted.groupby("policy", sort=False):
        one = np.ones(len(of))
        sums = EventSums.of({part: (of[part].to_numpy(np.float64), one) for part in PARTS})
        found[str(name)] = estimates(sums, _SEED)
    return found


def table(noted: pd.DataFrame) -> Table:
    """Return the chances as they are printed."""
    decisions = noted["event_id"].nunique()
    shown = Table(title=f"True chances of the first choice at the same {decisions:,} decisions")
    for name in ("policy", *PARTS):
        shown.add_column(name)
    for name, found in chances(noted).items():
        cells = (f"{of.value:.3f} ({of.low:.3f} to {of.high:.3f})" for of in found.values())
        shown.add_row(name, *cells)
    return shown


def _truth(choice: Choice, first: int) -> dict[str, float]:
    prospects = choice.truth.prospects
    success = _at(choice.truth.success_probability, first)
    accepts, completes = (
        _at(chance, first)
        for chance in (prospects.accept_probability, prospects.complete_probability)
    )
    return {
        "success": success,
        "accepts": accepts,
        "completes": completes,
        "in_time": success / (accepts * completes),
    }


def _at(values: npt.NDArray[np.float64], position: int) -> float:
    return float(values[position])
