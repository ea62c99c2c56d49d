"""From acceptance to satisfaction: the truck drives, works, leaves, and the driver rates.

A provider that gives up says nothing on the streams (there is no such event); the desk sees it
and asks the next one, so a second ``accept`` under one event_id is a re-dispatch.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from simulator import luck
from simulator.agenda import Agenda
from simulator.case import Emit, Offer, availability_event, step_event
from simulator.fleet import EN_ROUTE, IDLE, ON_SCENE, Fleet
from simulator.journal import Decision, Record

_CORRECTED_SHARE = 0.01
"""Share of completed jobs that are first booked as cancelled."""
_CORRECTED_AFTER_S = 2.0 * 3600
_CORRECTION_SEED = 22


class Jobs:
    """Plays accepted offers on a fleet."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of the world that it works on
        self,
        seed: int,
        fleet: Fleet,
        agenda: Agenda,
        emit: Emit,
        ask_next: Callable[[Decision, float], None],
        record: Record,
    ) -> None:
        self._seed = seed
        self._fleet = fleet
        self._agenda = agenda
        self._emit = emit
        self._ask_next = ask_next
        self._record = record

    def begin(self, offer: Offer, now_s: float) -> None:
        """Begin an accepted job."""
        fate, request = offer.fate, offer.decision.request
        fleet, index = self._fleet, offer.provider
        assert fate.leaves_s is not None
        assert fate.arrives_s is not None
        assert fate.ended_s is not None
        offer.leads = bool(fleet.lead_state[index] == IDLE)
        if offer.leads:
            fleet.lead_state[index] = EN_ROUTE
            fleet.send(index, (request.lat, request.lon), now_s, (fate.leaves_s, fate.arrives_s))
        fleet.active_jobs[index] += 1
        self._emit(availability_event(fleet, index, now_s))
        if fate.end == "completed":
            self._agenda.at(fate.arrives_s, partial(self._arrive, offer))
        else:
            self._agenda.at(fate.ended_s, partial(self._cancel, offer))

    def _arrive(self, offer: Offer, now_s: float) -> None:
        assert offer.fate.ended_s is not None
        offer.outcome.arrived_s = now_s
        self._emit(step_event(offer.decision.request, "arrive", now_s, offer.outcome.provider_id))
        if offer.leads:
            self._fleet.lead_state[offer.provider] = ON_SCENE
            self._emit(availability_event(self._fleet, offer.provider, now_s))
        self._agenda.at(offer.fate.ended_s, partial(self._complete, offer))

    def _complete(self, offer: Offer, now_s: float) -> None:
        offer.outcome.completed_s = now_s
        self._emit(step_event(offer.decision.request, "complete", now_s, offer.outcome.provider_id))
        self._release(offer, now_s)
        self._book_wrongly_sometimes(offer, now_s)
        if offer.fate.scored_s is None:
            self._record.closed(offer.decision)
        else:
            self._agenda.at(offer.fate.scored_s, partial(self._rate, offer))

    def _rate(self, offer: Offer, now_s: float) -> None:
        outcome = offer.outcome
        outcome.satisfaction, outcome.satisfaction_s = offer.fate.score, now_s
        request = offer.decision.request
        self._emit(
            step_event(request, "satisfaction", now_s, outcome.provider_id, outcome.satisfaction)
        )
        self._record.closed(offer.decision)

    def _cancel(self, offer: Offer, now_s: float) -> None:
        offer.outcome.cancelled_s = now_s
        self._release(offer, now_s)
        if offer.fate.end == "failed":
            self._ask_next(offer.decision, now_s)
            return
        self._emit(step_event(offer.decision.request, "cancel", now_s, offer.outcome.provider_id))
        self._record.closed(offer.decision)

    def _release(self, offer: Offer, now_s: float) -> None:
        index = offer.provider
        self._fleet.active_jobs[index] -= 1
        if offer.leads:
            self._fleet.lead_state[index] = IDLE
            self._fleet.stop(index, now_s)
        self._emit(availability_event(self._fleet, index, now_s))

    def _book_wrongly_sometimes(self, offer: Offer, now_s: float) -> None:
        decision, request = offer.decision, offer.decision.request
        key = luck.key_of(
            self._seed, _CORRECTION_SEED, request.metro, request.number, decision.offers_made
        )
        if luck.chance(key) < _CORRECTED_SHARE:
            right = replace(offer.outcome, recorded_s=now_s + _CORRECTED_AFTER_S)
            offer.outcome.cancelled_s, offer.outcome.completed_s = now_s, None
            decision.outcomes.append(right)
            offer.outcome = right
