"""The last decisions, held in memory for "why"; the decision log has them all."""

from collections import OrderedDict
from typing import NamedTuple

from scoring.endpoint.scorer import Scorer
from scoring.gateway.answers import encode
from scoring.gateway.served import Served
from scoring.gateway.why_not import why_not

HELD_DECISIONS = 500
"""About 50 MB at 200 candidates each, mostly what the model saw of them."""


class Question(NamedTuple):
    """What is asked about a decision: all of it, or why one provider does not stand first."""

    event_id: str
    provider_id: str | None


class HeldDecisions:
    """The newest decisions of this process by event_id, for one event loop.

    Args:
        scorer: The bundle in process, for reasons that the answer did not need.
        capacity: How many are held.
    """

    def __init__(self, scorer: Scorer, capacity: int = HELD_DECISIONS) -> None:
        self._scorer = scorer
        self._capacity = capacity
        self._decisions: OrderedDict[str, Served] = OrderedDict()

    def hold(self, served: Served) -> None:
        """Hold a decision, letting go of the oldest one beyond the capacity."""
        self._decisions[served.request.event_id] = served
        while len(self._decisions) > self._capacity:
            self._decisions.popitem(last=False)

    def about(self, question: Question) -> bytes | None:
        """Return the answer as JSON; None if the decision is not held here."""
        served = self._decisions.get(question.event_id)
        if served is None:
            return None
        if question.provider_id is None:
            return encode(served.decision())
        return encode(why_not(served, question.provider_id, self._scorer))
