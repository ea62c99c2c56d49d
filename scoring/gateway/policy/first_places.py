"""Who stood first lately: the state that contract minimum and fairness need, bounded in size."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat

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

    def shares(
        self,
        provider_ids: Sequence[str],
        tiers: Indices,
        now_s: float,
        window_s: float,
    ) -> Shares:
        """Return the counts of these candidates (tiers int [n], 0 to 9) before this decision."""
        weight = self._weight(now_s, window_s)
        slots = np.fromiter(
            map(self._slots.get, provider_ids, repeat(-1)), np.intp, len(provider_ids)
        )
        provider = np.where(slots >= 0, self._providers[:, slots], 0.0) / weight
        tier = self._tiers[:, tiers] / weight
        return Shares(Count(provider[0], provider[1]), Count(tier[0], tier[1]))

    def record(
        self,
        provider_ids: Sequence[str],
        tiers: Indices,
        first: int,
        now_s: float,
        window_s: float,
    ) -> None:
        """Take a decision into account: who could be sent, and which row stands first."""
        weight = self._weight(now_s, window_s)
        slots = self._slots_for(provider_ids)
        self._providers[0, slots] += weight  # each provider is a candidate once
        self._providers[1, slots[first]] += weight
        self._tiers[0, np.unique(tiers)] += weight
        self._tiers[1, tiers[first]] += weight

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
        new = [p for p in provider_ids if p not in self._slots]
        if len(self._slots) + len(new) > self._providers.shape[1]:
            self._forget_half()
            new = [p for p in provider_ids if p not in self._slots]
        self._slots.update(
            zip(new, range(len(self._slots), len(self._slots) + len(new)), strict=True)
        )
        return np.fromiter(map(self._slots.__getitem__, provider_ids), np.intp, len(provider_ids))

    def _forget_half(self) -> None:
        kept = np.argsort(-self._providers[0, : len(self._slots)], kind="stable")
        kept = kept[: self._providers.shape[1] // 2]
        counts = self._providers[:, kept]
        self._providers[:] = 0.0
        self._providers[:, : len(kept)] = counts
        ids = list(self._slots)
        self._slots = {ids[slot]: position for position, slot in enumerate(kept)}
