"""The last decisions, held in memory: for the same event_id again, and for "why"."""

import threading
from collections import OrderedDict

from scoring.gateway.errors import ConflictError, DecisionNotFoundError
from scoring.gateway.messages import Decision, RecommendationRequest

HELD_DECISIONS = 2_000
"""About 60 MB at 200 candidates each."""


class HeldDecisions:
    """The newest decisions by event_id; the decision log has them all."""

    def __init__(self, capacity: int = HELD_DECISIONS) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._decisions: OrderedDict[str, Decision] = OrderedDict()

    def hold(self, decision: Decision) -> None:
        """Hold a decision, letting go of the oldest one beyond the capacity."""
        with self._lock:
            self._decisions[decision.request.event_id] = decision
            while len(self._decisions) > self._capacity:
                self._decisions.popitem(last=False)

    def same(self, request: RecommendationRequest) -> Decision | None:
        """Return the decision that was made for this very request; None if there is none.

        Raises:
            ConflictError: The event_id was used for another request.
        """
        decision = self._decisions.get(request.event_id)
        if decision is not None and decision.request != request:
            raise ConflictError(
                "was used before for a request that says something else",
                field="event_id",
                value=request.event_id,
                remedy="use a new event_id",
            )
        return decision

    def get(self, event_id: str) -> Decision:
        """Return the decision of an event.

        Raises:
            DecisionNotFoundError: None is held; the remedy says where to look.
        """
        decision = self._decisions.get(event_id)
        if decision is None:
            raise DecisionNotFoundError(
                f"none of the last {self._capacity} decisions is for it",
                field="event_id",
                value=event_id,
                remedy="look into the decisions stream's archive",
            )
        return decision
