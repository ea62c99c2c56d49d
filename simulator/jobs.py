"""From acceptance to satisfaction: the truck drives, works, leaves, and the driver rates.

A provider that gives up says nothing on the streams (there is no such event); the desk sees it
and asks the next one, so a second ``accept`` under one event_id is a re-dispatch.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from simulator.agenda import Agenda
from simulator.case import Case, Emit, Offer, availability_event, step_event
from simulator.fleet import EN_ROUTE, IDLE, ON_SCENE, Fleet
from simulator.journal import Journal
from simulator.outcomes import satisfaction_score

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
        ask_next: Callable[[Case, float], None],
        journal: Journal | None,
    ) -> None:
        self._seed = seed
        self._fleet = fleet
        self._agenda = agenda
        self._emit = emit
        self._ask_next = ask_next
        self._journal = journal

    def begin(self, offer: Offer, now_s: float) -> None:
        """Begin an accepted job."""
        draws, position, request = offer.case.draws, offer.position, offer.case.request
        leaves_s = now_s + 60 * float(draws.mobilise_min[position])
        arrives_s = leaves_s + 60 * float(draws.drive_min[position])
        fleet, index = self._fleet, offer.provider
        offer.leads = bool(fleet.lead_state[index] == IDLE)
        if offer.leads:
            fleet.lead_state[index] = EN_ROUTE
            fleet.send(index, (request.lat, request.lon), now_s, (leaves_s, arrives_s))
        fleet.active_jobs[index] += 1
        self._emit(availability_event(fleet, index, now_s))
        patience_s = max(now_s, request.time_s + 60 * request.patience_minutes)
        if not draws.completes[position]:
            fails_s = now_s + (arrives_s - now_s) * float(draws.fails_at_share[position])
            self._agenda.at(fails_s, partial(self._fail, offer))
        elif arrives_s > patience_s:
            self._agenda.at(patience_s, partial(self._driver_leaves, offer))
        else:
            self._agenda.at(arrives_s, partial(self._arrive, offer))

    def _arrive(self, offer: Offer, now_s: float) -> None:
        offer.outcome.arrived_s = now_s
        self._emit(step_event(offer.case.request, "arrive", now_s, offer.outcome.provider_id))
        if offer.leads:
            self._fleet.lead_state[offer.provider] = ON_SCENE
            self._emit(availability_event(self._fleet, offer.provider, now_s))
        minutes = float(offer.case.draws.on_scene_min[offer.position])
        self._agenda.at(now_s + 60 * minutes, partial(self._complete, offer))

    def _complete(self, offer: Offer, now_s: float) -> None:
        offer.outcome.completed_s = now_s
        self._emit(step_event(offer.case.request, "complete", now_s, offer.outcome.provider_id))
        self._release(offer, now_s)
        self._book_wrongly_sometimes(offer, now_s)
        draws, position = offer.case.draws, offer.position
        if draws.satisfaction_answered[position]:
            after_s = 60 * float(draws.satisfaction_delay_min[position])
            self._agenda.at(now_s + after_s, partial(self._rate, offer))

    def _rate(self, offer: Offer, now_s: float) -> None:
        outcome, case = offer.outcome, offer.case
        assert outcome.arrived_s is not None
        outcome.satisfaction = satisfaction_score(
            float(case.prospects.satisfaction_base[offer.position]),
            (outcome.arrived_s - outcome.promised_arrival_s) / 60,
            float(case.draws.satisfaction_noise[offer.position]),
        )
        outcome.satisfaction_s = now_s
        self._emit(
            step_event(
                case.request, "satisfaction", now_s, outcome.provider_id, outcome.satisfaction
            )
        )

    def _fail(self, offer: Offer, now_s: float) -> None:
        offer.outcome.cancelled_s = now_s
        self._release(offer, now_s)
        self._ask_next(offer.case, now_s)

    def _driver_leaves(self, offer: Offer, now_s: float) -> None:
        offer.outcome.cancelled_s = now_s
        self._release(offer, now_s)
        self._emit(step_event(offer.case.request, "cancel", now_s, offer.outcome.provider_id))

    def _release(self, offer: Offer, now_s: float) -> None:
        index = offer.provider
        self._fleet.active_jobs[index] -= 1
        if offer.leads:
            self._fleet.lead_state[index] = IDLE
            self._fleet.stop(index, now_s)
        self._emit(availability_event(self._fleet, index, now_s))

    def _book_wrongly_sometimes(self, offer: Offer, now_s: float) -> None:
        if self._journal is None:
            return
        # keyed by the request, not drawn from the run's generator: keeping a journal changes
        # nothing in what happens
        luck = np.random.default_rng(
            [self._seed, _CORRECTION_SEED, offer.case.request.number, offer.position]
        )
        if luck.random() < _CORRECTED_SHARE:
            right = replace(offer.outcome, recorded_s=now_s + _CORRECTED_AFTER_S)
            offer.outcome.cancelled_s, offer.outcome.completed_s = now_s, None
            self._journal.outcomes.append(right)
            offer.outcome = right
