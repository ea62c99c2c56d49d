"""The last decisions, held in memory for "why"; the decision log has them all."""

from collections import OrderedDict

from scoring.gateway.errors import DecisionNotFoundError
from scoring.gateway.served import Served

HELD_DECISIONS = 500
"""About 50 MB at 200 candidates each, mostly what the model saw of them."""


class HeldDecisions:
    """The newest decisions of this process by event_id, for one event loop."""

    def __init__(self, capacity: int = HELD_DECISIONS) -> None:
        self._capacity = capacity
        self._decisions: OrderedDict[str, Served] = OrderedDict()

    def hold(self, served: Served) -> None:
        """Hold a decision, letting go of the oldest one beyond the capacity."""
        self._decisions[served.request.event_id] = served
        while len(self._decisions) > self._capacity:
            self._decisions.popitem(last=False)

    def get(self, event_id: str) -> Served:
        """Return the decision of an event.

        Raises:
            DecisionNotFoundError: None is held; the remedy says where to look.
        """
        served = self._decisions.get(event_id)
        if served is None:
            raise DecisionNotFoundError(
                f"none of the last {self._capacity} decisions of this process is for it",
                field="event_id",
                value=event_id,
                remedy="look into the decisions stream's archive, which has them all",
            )
        return served
