"""The sixth stage: from scores to an order, by rules that operations can read.

1. Classes: a candidate whose position is unknown stands behind all others, one of a spillover tier
   behind the ordinary ones who do about as well. Within a class the model's scores decide, but for
2. Fairness: who stood first very often lately has a handicap.
3. Contract minimum: the best of those who are owed a first place gets it.
4. Exploration: in a small, logged share of decisions, chance decides among the first.

What the rules may cost a driver is bounded: among those whose position is known, they put nobody
first whose chance of success is more than ``max_chance_cost`` below that of the model's own first.
Nor do 2 to 4 put anybody first who is of a lower class than the first by 1.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from scoring.gateway.policy.first_places import TIERS, Count, Shares
from scoring.gateway.policy.rules import ContractMinimum, Exploration, Fairness, Policy

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float32]

PRIOR_DECISIONS = 20.0
"""A share counts so many decisions more, without a first place: few decisions prove nothing."""


class Action(StrEnum):
    """What the policy did with a candidate."""

    POSITION_UNKNOWN = "behind_the_others_position_unknown"
    SPILLOVER = "behind_the_others_spillover_tier"
    FAIRNESS = "handicap_for_fairness"
    CONTRACT_MINIMUM = "first_by_contract_minimum"
    EXPLORED = "first_by_exploration"


@dataclass(frozen=True)
class Situation:
    """One request's candidates who may be sent, as the rules see them; n rows.

    Attributes:
        provider_ids: n ids.
        scores: The model's, higher is better, float32 [n].
        success_probability: float32 [n].
        tiers: Contract tiers, int [n], 1 to 9, 0 where unknown.
        position_unknown: bool [n].
        surge_ratio: Open requests in the driver's cell over available candidates.
        shares: Who stood first lately.
    """

    provider_ids: Sequence[str]
    scores: Scores
    success_probability: npt.NDArray[np.float32]
    tiers: Indices
    position_unknown: Mask
    surge_ratio: float
    shares: Shares


@dataclass(frozen=True)
class Actions:
    """What the policy did, by row."""

    masks: dict[Action, Mask]

    def __getitem__(self, row: int) -> list[str]:
        """Return the codes of a row's actions."""
        return [action.value for action, mask in self.masks.items() if mask[row]]

    def rows(self) -> Indices:
        """Return the rows with an action; most have none."""
        return np.flatnonzero(np.logical_or.reduce(list(self.masks.values())))

    def of(self, rows: Indices) -> list[list[str]]:
        """Return the codes of many rows' actions."""
        some: Mask = np.logical_or.reduce(list(self.masks.values()))
        return [
            self[row] if acted else [] for row, acted in zip(rows.tolist(), some[rows], strict=True)
        ]


@dataclass(frozen=True)
class Ranking:
    """The order in which to offer.

    Attributes:
        order: Rows, best first, int [n].
        propensity: The chance that this policy, in this state, puts the row first, float64 [n];
            they sum to one.
        handicap: What fairness took, in standard deviations of the scores, float64 [n].
        actions: What the policy did.
    """

    order: Indices
    propensity: Floats
    handicap: Floats
    actions: Actions


def rank(situation: Situation, policy: Policy, event_id: str) -> Ranking:
    """Order the candidates; the same input gives the same order, as the draw is the event's own."""
    good = _good(situation, policy.max_chance_cost)
    spillover = _spillover(situation, policy, good)
    # while spillover tiers wait, they and the ordinary ones who are not good compete behind
    behind = spillover | ~good if spillover.any() else spillover
    classes = 2 * situation.position_unknown + behind
    handicap = _handicap(situation, policy.fairness)
    unmoved = _order(classes, situation.scores)
    acceptable = good & (classes == classes[unmoved[0]])
    order = _fair_order(unmoved, classes, situation.scores, handicap, acceptable)
    owed = _first_of(order, _owed(situation, policy.contract_minimum) & acceptable)
    by_contract = [owed] if owed is not None and owed != order[0] else []
    order = _with_first(order, by_contract)
    front = order[acceptable[order]]
    drawn = _draw(f"{policy.version}|{event_id}", front, policy.exploration)
    explored = [drawn] if drawn != order[0] else []
    return Ranking(
        order=_with_first(order, explored),
        propensity=first_place_propensity(front, len(order), policy.exploration),
        handicap=handicap,
        actions=Actions(
            {
                Action.POSITION_UNKNOWN: situation.position_unknown,
                Action.SPILLOVER: spillover,
                Action.FAIRNESS: handicap > 0,
                Action.CONTRACT_MINIMUM: _only(by_contract, len(order)),
                Action.EXPLORED: _only(explored, len(order)),
            }
        ),
    )


def first_place_propensity(front: Indices, rows: int, exploration: Exploration) -> Floats:
    """Return each row's chance to stand first, float64 [rows], summing to one.

    Args:
        front: Those who may stand first, best first; at least one.
        rows: How many candidates there are.
        exploration: How often chance decides, and among how many.
    """
    propensity = np.zeros(rows)
    among = front[: exploration.among]
    propensity[among] = exploration.share / len(among)
    propensity[front[0]] += 1 - exploration.share
    return propensity


def _good(situation: Situation, cost: float) -> Mask:
    """Return whose chance is at most the cost below that of the model's own first."""
    first = _order(situation.position_unknown.astype(np.intp), situation.scores)[0]
    chance = situation.success_probability
    good: Mask = chance >= chance[first] - cost
    return good


def _spillover(situation: Situation, policy: Policy, good: Mask) -> Mask:
    """Return who stands behind the good ones of the ordinary tiers now; nobody if there is none."""
    rule = policy.spillover
    spillover: Mask = situation.tiers >= rule.from_tier
    others = ~spillover
    needed = (
        np.count_nonzero(others) < rule.unless_fewer_others
        or situation.surge_ratio >= rule.unless_surge_ratio
        or not (others & good & ~situation.position_unknown).any()
    )
    return np.zeros_like(spillover) if needed else spillover


def _handicap(situation: Situation, rule: Fairness) -> Floats:
    excess = _excess(situation.shares.provider, np.float64(rule.provider_share))
    if rule.tier_shares:
        allowed = _by_tier(rule.tier_shares, otherwise=1.0)[situation.tiers]
        excess = np.minimum(excess + _excess(situation.shares.tier, allowed), 1.0)
    return rule.handicap_cap * excess


def _excess(count: Count, allowed: Floats | np.float64) -> Floats:
    """Return by how much a share is beyond the allowed one: 0 up to it, 1 from its double on."""
    share = count.first / (count.possible + PRIOR_DECISIONS)
    excess: Floats = np.minimum(np.maximum(share / allowed - 1, 0.0), 1.0)
    return excess


def _owed(situation: Situation, rule: ContractMinimum) -> Mask:
    """Return who is owed one first place at least: itself, or its tier."""
    provider, tier = situation.shares.provider, situation.shares.tier
    of_tier = _by_tier(rule.tier_shares, otherwise=0.0)[situation.tiers]
    owed: Mask = of_tier * tier.possible - tier.first >= 1
    if rule.provider_shares:
        ids = situation.provider_ids
        of_provider = np.fromiter(map(rule.provider_shares.get, ids, repeat(0.0)), float, len(ids))
        owed |= of_provider * provider.possible - provider.first >= 1
    return owed


def _by_tier(shares: dict[int, float], otherwise: float) -> Floats:
    by_tier = np.full(TIERS, otherwise)
    by_tier[list(shares)] = list(shares.values())
    return by_tier


def _fair_order(
    unmoved: Indices, classes: Indices, scores: Scores, handicap: Floats, acceptable: Mask
) -> Indices:
    """Return the order with the handicaps; its first is one who may stand first."""
    if not handicap.any():
        return unmoved
    order = _order(classes, scores - handicap * _spread(scores))
    first = _first_of(order, acceptable)
    return order if first is None else _with_first(order, [first])


def _order(classes: Indices, scores: npt.NDArray[np.floating[Any]]) -> Indices:
    """Return rows by class, then by score, then as they came."""
    order: Indices = np.lexsort((-scores, classes))  # a stable sort
    return order


def _first_of(order: Indices, mask: Mask) -> int | None:
    """Return the first row of the order that the mask has."""
    rows = order[mask[order]]
    return int(rows[0]) if len(rows) else None


def _with_first(order: Indices, row: list[int]) -> Indices:
    """Return the order with a row, if there is one, moved to its front."""
    return np.concatenate((row, order[order != row])).astype(np.intp) if row else order


def _spread(scores: Scores) -> float:
    """Return the standard deviation of the scores that are finite."""
    finite = scores[np.isfinite(scores)]
    return float(finite.std()) if len(finite) else 0.0


def _only(rows: list[int], count: int) -> Mask:
    mask = np.zeros(count, dtype=np.bool_)
    mask[rows] = True
    return mask


def _draw(seed: str, front: Indices, exploration: Exploration) -> int:
    """Draw the first place as ``first_place_propensity`` has it, by the seed's number in [0, 1)."""
    digest = hashlib.blake2b(seed.encode(), digest_size=8).digest()
    uniform = int.from_bytes(digest, "little") / 2**64
    if uniform >= exploration.share:
        return int(front[0])
    among = front[: exploration.among]
    return int(among[min(int(uniform / exploration.share * len(among)), len(among) - 1)])
