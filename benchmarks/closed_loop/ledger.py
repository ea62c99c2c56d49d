"""What became of each request, in a row: a record that keeps no decision longer than it is open."""

from typing import Any

import numpy as np
import pandas as pd

from simulator.dispatch import MOST_OFFERS
from simulator.journal import Decision, Outcome

COMPLETED, DRIVER_LEFT, NOBODY = "completed", "driver_left", "nobody"
_SAME_MOMENT_S = 1e-3


class Ledger:
    """A ``simulator.journal.Record`` that turns decisions into rows."""

    def __init__(self) -> None:
        self._open: dict[str, Decision] = {}
        self._rows: list[dict[str, Any]] = []

    def opened(self, decision: Decision) -> None:
        """Keep a decision until it is closed."""
        self._open[decision.request.event_id] = decision

    def closed(self, decision: Decision) -> None:
        """Write a decision's row."""
        del self._open[decision.request.event_id]
        self._rows.append(row_of(decision))

    def frame(self) -> pd.DataFrame:
        """Return a row a request that had a candidate, in the order in which they were closed.

        Raises:
            ValueError: A decision is still open: its world was not played to the end.
        """
        if self._open:
            raise ValueError(
                f"{len(self._open)} decisions are still open, {next(iter(self._open))} among them: "
                "play the world for longer after its last request"
            )
        return pd.DataFrame(self._rows)


def row_of(decision: Decision) -> dict[str, Any]:
    """Return what became of a request.

    ``success``: one provider accepted, arrived within the promise counted from the request, and
    completed; no other one had accepted. ``success_by_offer``: the same, but the promise counted
    from the offer, as labels have it. ``minutes_to_arrival``: from the request, of the provider
    that completed. ``redispatched``: a second provider accepted.
    """
    request = decision.request
    # a correction is a later record of the same offer
    latest = {outcome.provider_id: outcome for outcome in decision.outcomes}
    accepted = [outcome for outcome in latest.values() if outcome.accepted]
    served = next((outcome for outcome in accepted if outcome.completed_s is not None), None)
    minutes = within = within_offer = None
    if served is not None:
        assert served.arrived_s is not None
        minutes = (served.arrived_s - request.time_s) / 60
        within = minutes <= request.promised_minutes
        within_offer = served.arrived_s <= served.promised_arrival_s
    alone = len(accepted) == 1
    return {
        "event_id": request.event_id,
        "candidates": len(decision.offer_rank),
        "offers": decision.offers_made,
        "success": bool(alone and within),
        "success_by_offer": bool(alone and within_offer),
        "redispatched": len(accepted) > 1,
        "minutes_to_arrival": np.nan if minutes is None else minutes,
        "end": _end(decision, accepted, served),
        "served_by": "" if served is None else served.provider_id,
        "first_choice_chance": float(decision.success_probability[decision.first]),
    }


def _end(decision: Decision, accepted: list[Outcome], served: Outcome | None) -> str:
    if served is not None:
        return COMPLETED
    last = decision.outcomes[-1]
    if last not in accepted:
        return NOBODY
    # a provider that gives up is followed by another offer, unless there is none left to make
    if decision.offers_made < min(len(decision.ranking.order), MOST_OFFERS):
        return DRIVER_LEFT
    assert last.cancelled_s is not None
    patience_ended_s = decision.request.time_s + 60 * decision.request.patience_minutes
    left = abs(last.cancelled_s - patience_ended_s) < _SAME_MOMENT_S
    return DRIVER_LEFT if left else NOBODY
