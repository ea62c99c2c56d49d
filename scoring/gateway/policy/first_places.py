"""Who stood first lately: the state that contract minimum and fairness need, bounded in size."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import numpy.typing as npt

PROVIDERS_KEPT = 100_000
"""About 15 MB. When so many are known, the half that was seen least is forgotten."""
TIERS = 10
"""Tiers 1 to 9; 0 stands for an unknown one."""
_GREATEST_WEIGHT = 1e9

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Count:
    """Of the decisions in the window: in how many each could be sent, and how often it stood first.

    Attributes:
        possible: float64 [n], decisions.
        first: float64 [n], decisions.
    """

    possible: Floats
    first: Floats


@dataclass(frozen=True)
class Shares:
    """The counts of n candidates, float64 [n] each: their own, and those of their tiers."""

    provider: Count
    tier: Count


@dataclass(frozen=True)
class Seen:
    """The candidates of one decision, found in the counts.

    Attributes:
        slots: Where each provider is counted, int [n].
        tiers: Their tiers, int [n], 0 to 9.
        weight: What this decision weighs.
        shares: The counts before this decision.
    """

    slots: Indices
    tiers: Indices
    weight: float
    shares: Shares


class FirstPlaces:
    """Counts with a window that forgets: a decision counts e^-1 after ``window_s`` seconds.

    It is kept in one process, and used from one thread. A gateway sees a part of all requests, and
    holds the shares on its part; a bound that holds on each part holds on the whole, whose share
    is the weighted mean of theirs. After a start nothing is known, and no rule acts.
    """

    def __init__(self, providers_kept: int = PROVIDERS_KEPT) -> None:
        self._window_s = math.inf
        self._slots: dict[str, int] = {}
        # Later decisions weigh more instead of earlier ones less: a count is what is stored over
        # the weight of now, and nothing has to be touched as time goes by (forward decay).
        self._since_s: float | None = None
        self._providers = np.zeros((2, providers_kept))
        self._tiers = np.zeros((2, TIERS))

    def __len__(self) -> int:
        """Return how many providers are known."""
        return len(self._slots)

    def find(
        self, provider_ids: Sequence[str], tiers: Indices, now_s: float, window_s: float
    ) -> Seen:
        """Return what is counted of these candidates (each once; tiers int [n], 0 to 9)."""
        weight, slots = self._weight(now_s, window_s), self._slots_for(provider_ids)
        provider, tier = self._providers[:, slots] / weight, self._tiers[:, tiers] / weight
        shares = Shares(Count(provider[0], provider[1]), Count(tier[0], tier[1]))
        return Seen(slots, tiers, weight, shares)

    def record(self, seen: Seen, first: int) -> None:
        """Take a decision into account, right after ``find``; a row is first."""
        self._providers[0, seen.slots] += seen.weight
        self._providers[1, seen.slots[first]] += seen.weight
        present = np.zeros(TIERS, dtype=np.bool_)
        present[seen.tiers] = True
        self._tiers[0, present] += seen.weight
        self._tiers[1, seen.tiers[first]] += seen.weight

    def _weight(self, now_s: float, window_s: float) -> float:
        """Return what a decision now weighs, bringing the counts to it where it grew too large."""
        if self._since_s is None:
            self._since_s = now_s
        weight = math.exp(min((now_s - self._since_s) / self._window_s, 700.0))
        if weight > _GREATEST_WEIGHT or window_s != self._window_s:
            self._providers /= weight
            self._tiers /= weight
            self._since_s, self._window_s, weight = now_s, window_s, 1.0
        return weight

    def _slots_for(self, provider_ids: Sequence[str]) -> Indices:
        try:
            return self._found(provider_ids)
        except KeyError:  # somebody new is rare: not looked for each time
            self._add(provider_ids)
            return self._found(provider_ids)

    def _found(self, provider_ids: Sequence[str]) -> Indices:
        return np.fromiter(map(self._slots.__getitem__, provider_ids), np.intp, len(provider_ids))

    def _add(self, provider_ids: Sequence[str]) -> None:
        new = self._unknown(provider_ids)
        if len(new) > self._providers.shape[1] - len(self._slots):
            self._forget_half()
            new = self._unknown(provider_ids)
        self._slots.update(zip(new, count(len(self._slots)), strict=False))

    def _unknown(self, provider_ids: Sequence[str]) -> list[str]:
        return [provider_id for provider_id in provider_ids if provider_id not in self._slots]

    def _forget_half(self) -> None:
        kept = np.argsort(-self._providers[0, : len(self._slots)], kind="stable")
        kept = kept[: self._providers.shape[1] // 2]
        counts = self._providers[:, kept]
        self._providers[:] = 0.0
        self._providers[:, : len(kept)] = counts
        ids = list(self._slots)
        self._slots = {ids[slot]: position for position, slot in enumerate(kept)}
