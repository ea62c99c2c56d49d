"""What the dispatch desk writes down: decisions, and what became of their offers."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from simulator.luck import Floats, Ints
from simulator.outcomes import Draws, Request
from simulator.policy import Choice, Ranking


@dataclass
class Outcome:
    """What became of one offer; times in epoch seconds, None where it did not happen.

    A correction is another outcome of the same event and provider with a later ``recorded_s``.
    """

    event_id: str
    provider_id: str
    offered_s: float
    promised_arrival_s: float
    recorded_s: float
    accepted: bool | None = None
    arrived_s: float | None = None
    completed_s: float | None = None
    cancelled_s: float | None = None
    satisfaction: int | None = None
    satisfaction_s: float | None = None


@dataclass
class Decision:
    """One request from the choice of a provider to its end; arrays share the candidates' order.

    Attributes:
        choice: The request and who could come.
        ranking: What the policy made of it.
        draws: What each candidate would do if asked: known to nobody in the world.
        available_candidates: How many candidates had no job in hand.
        offer_rank: 1 for the first offer; 0 where none was made. int64 [n].
        outcomes: What became of the offers, and corrections of it.
    """

    choice: Choice
    ranking: Ranking
    draws: Draws
    available_candidates: int
    offer_rank: Ints
    outcomes: list[Outcome] = field(default_factory=list)
    offers_made: int = 0

    @property
    def request(self) -> Request:
        """What was asked for."""
        return self.choice.request

    @property
    def provider_ids(self) -> list[str]:
        """The candidates' ids."""
        ids = self.choice.providers.ids
        return [ids[index] for index in self.choice.candidates]

    @property
    def propensity(self) -> Floats:
        """The probability of each candidate to be offered the job first."""
        return self.ranking.propensity

    @property
    def success_probability(self) -> Floats:
        """The true chance of success of each candidate."""
        return self.choice.truth.success_probability

    @property
    def first(self) -> int:
        """The position of the first offer."""
        return int(self.ranking.order[0])


class Record(Protocol):
    """Is told of decisions."""

    def opened(self, decision: Decision) -> None:
        """A decision was made; nobody has been asked yet."""
        ...

    def closed(self, decision: Decision) -> None:
        """Nothing more can become of a decision."""
        ...


@dataclass
class Journal:
    """Keeps the decisions of a run in memory."""

    decisions: list[Decision] = field(default_factory=list)

    @property
    def outcomes(self) -> list[Outcome]:
        """What became of all offers, by decision."""
        return [outcome for decision in self.decisions for outcome in decision.outcomes]

    def opened(self, decision: Decision) -> None:
        """Keep a decision; it goes on to be written to."""
        self.decisions.append(decision)

    def closed(self, decision: Decision) -> None:
        """Change nothing: it is kept already."""


def no_offers(count: int) -> Ints:
    """Return the offer ranks of a decision before its first offer."""
    return np.zeros(count, dtype=np.int64)
